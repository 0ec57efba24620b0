/** The direction of imports, as the architecture draws it, and a check of sources against it. */
import path from 'node:path';

/** A source file: its path from the root, with slashes, and its text. */
export type Source = { readonly path: string; readonly text: string };

/**
 * The floors of the house, lowest first. A file may import its own folder and the floors below its own.
 * Folders of one floor do not see each other, unless `sideways` says so.
 */
export const floors: readonly (readonly string[])[] = [
  ['protocol', 'server/lib', 'server/errors.ts'],
  ['server/poll', 'server/tally'],
  ['server/ledger', 'server/board', 'server/images', 'server/ingest-log', 'server/identity'],
  ['server/intake', 'server/settings.ts'],
  ['server/ops', 'server/live', 'server/config.ts'],
  ['server/http'],
  ['server/pages', 'server/open-ledger.ts'],
  ['server/contracts'],
  ['server/known.ts', 'server/open-log.ts'],
  ['server/open-intake.ts', 'server/open-board.ts', 'server/open-metrics.ts'],
  ['server/core.ts'],
  ['server/compose.ts', 'server/run-worker.ts', 'server/command-line.ts'],
  ['server/commands'],
  ['server/main.ts'],
];

const sideways: readonly (readonly [from: string, to: string])[] = [
  ['server/tally', 'server/poll'],
  ['server/contracts', 'server/pages'],
];
const importPattern = /^\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gmu;
/** What the pages may import besides their own folders: the protocol, and libraries. */
const sharedWebFolders = new Set(['parts', 'live', 'texts', 'style', '']);
const pageFloors = ['web', 'protocol'];
const drawers = /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.ts$)/u;
const linesMax = 400;

/** Everything about the sources that the architecture forbids, one sentence each. */
export function checkSources(sources: readonly Source[]): string[] {
  const imports = new Map(sources.map((source) => [source.path, importsOf(source)]));
  return [
    ...sources.flatMap((source) => [
      ...checkShape(source),
      ...checkArrows(source.path, imports.get(source.path) ?? []),
    ]),
    ...findCycles(imports),
  ];
}

/** The files of ours that a source imports, as paths from the root. */
export function importsOf({ path: file, text }: Source): string[] {
  return [...text.matchAll(importPattern)]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .filter((target) => target.startsWith('.') && !target.endsWith('.css'))
    .map((target) => path.posix.join(path.posix.dirname(file), target));
}

function checkShape({ path: file, text }: Source): string[] {
  const faults: string[] = [];
  const lineCount = text.split('\n').length - 1;
  if (lineCount > linesMax) faults.push(`${file} has ${lineCount} lines, more than ${linesMax}.`);
  if (/^export default\b/mu.test(text)) faults.push(`${file} has a default export.`);
  if (drawers.test(file)) faults.push(`${file} is a drawer: name it by what it does.`);
  const statements = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gmu, '').trim();
  if (statements !== '' && statements.replaceAll(/export\s[^;]*?from\s+'[^']+';/gu, '').trim() === '') {
    faults.push(`${file} is a barrel: import from the file itself.`);
  }
  return faults;
}

function checkArrows(file: string, targets: readonly string[]): string[] {
  if (file.endsWith('.test.ts')) return [];
  return targets.filter((target) => !mayImport(file, target)).map((target) => `${file} must not import ${target}.`);
}

function mayImport(file: string, target: string): boolean {
  if (file.startsWith('web/'))
    return pageFloors.some((folder) => target.startsWith(`${folder}/`)) && !crossesPages(file, target);
  const from = placeOf(file);
  const to = placeOf(target);
  if (from === null || to === null) return false;
  if (from.name === to.name || to.floor < from.floor) return true;
  return sideways.some(([a, b]) => a === from.name && b === to.name);
}

/** One page does not know another: what they share is in a folder without a page. */
function crossesPages(file: string, target: string): boolean {
  const [from, to] = [file, target].map((each) => path.posix.dirname(each).split('/')[1] ?? '');
  return file !== 'web/render.tsx' && to !== from && !sharedWebFolders.has(to ?? '');
}

function placeOf(file: string): { floor: number; name: string } | null {
  for (const [floor, names] of floors.entries()) {
    const name = names.find((each) => file === each || file.startsWith(`${each}/`));
    if (name !== undefined) return { floor, name };
  }
  return null;
}

function findCycles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];

  function visit(file: string, trail: readonly string[]): void {
    const start = trail.indexOf(file);
    if (start >= 0) cycles.push(`A cycle: ${[...trail.slice(start), file].join(' -> ')}.`);
    if (start >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  }

  for (const file of imports.keys()) visit(file, []);
  return cycles;
}
