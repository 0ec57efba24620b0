/** deploy/Dockerfile, read as far as it goes: stages, instructions, and the files that it takes. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

export type Instruction = { readonly name: string; readonly rest: string };
export type Stage = { readonly name: string; readonly from: string; readonly instructions: readonly Instruction[] };

export type Dockerfile = {
  /** What `ARG` before the first stage sets. */
  readonly args: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
};

export type Copy = { readonly from: string | null; readonly sources: readonly string[]; readonly target: string };

export const root = path.resolve(import.meta.dirname, '../..');

export function readDockerfile(): Dockerfile {
  const text = readFileSync(path.join(root, 'deploy/Dockerfile'), 'utf8');
  const args: Record<string, string> = {};
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const line of text.split('\n')) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.+)$/u.exec(line) ?? [];
    if (name === '') {
      if (line !== '' && !line.startsWith('#')) throw new Error(`Not one instruction on one line: ${line}`);
    } else if (name === 'FROM') {
      const [from = '', , stage = ''] = rest.split(' ');
      stages.push({
        name: stage,
        from: from.replace(/^\$\{(\w+)\}$/u, (_, arg: string) => args[arg] ?? ''),
        instructions: [],
      });
    } else if (stages.length === 0) {
      const [arg = '', value = ''] = rest.split('=', 2);
      args[arg] = value;
    } else stages.at(-1)?.instructions.push({ name, rest });
  }
  return { args, stages };
}

/** The stage and those that it is built on, the lowest first. */
export function layersOf({ stages }: Dockerfile, name: string): Stage[] {
  const stage = stages.find((each) => each.name === name);
  return stage === undefined ? [] : [...layersOf({ args: {}, stages }, stage.from), stage];
}

export function instructionsOf(dockerfile: Dockerfile, stage: string, name?: string): Instruction[] {
  const all = layersOf(dockerfile, stage).flatMap(({ instructions }) => instructions);
  return name === undefined ? all : all.filter((each) => each.name === name);
}

export function toCopy({ rest }: Instruction): Copy {
  const words = rest.split(' ');
  const from = words[0]?.startsWith('--from=') === true ? (words.shift()?.slice('--from='.length) ?? null) : null;
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
}

/** Whether .dockerignore lets the builder see a file: the last line that speaks of it or of a folder around it decides. */
export function isSent(file: string): boolean {
  const parts = file.split('/');
  const places = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let sent = true;
  for (const line of readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = toPattern(line.replace(/^!/u, ''));
    if (places.some((place) => pattern.test(place))) sent = line.startsWith('!');
  }
  return sent;
}

/**
 * Lays the files of an image into a folder as `docker build` does, builds the pages in their stage, and links the packages of this
 * repository in place of those that npm would fetch. Accounts and installed programs are the base image's, and stay out.
 */
export function layOutImage(target: 'slim' | 'default', folder: string): string {
  const dockerfile = readDockerfile();
  layOutStage(dockerfile, 'pages', path.join(folder, 'pages'), folder);
  const app = path.join(folder, target);
  layOutStage(dockerfile, target, app, folder);
  return app;
}

function layOutStage(dockerfile: Dockerfile, stage: string, app: string, folder: string): void {
  mkdirSync(app, { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(app, 'node_modules'));
  for (const instruction of instructionsOf(dockerfile, stage)) {
    if (instruction.name === 'COPY') copyInto(toCopy(instruction), app, folder);
    const [program, script = ''] = instruction.name === 'RUN' ? instruction.rest.split(' ') : [];
    if (program === 'node' && script.startsWith('scripts/')) execFileSync(process.execPath, [script], { cwd: app });
  }
}

function copyInto({ from, sources, target }: Copy, app: string, folder: string): void {
  if (target === 'node_modules') return;
  if (from !== null) {
    for (const source of sources)
      cpSync(source.replace('/app', path.join(folder, from)), path.join(app, target), { recursive: true });
    return;
  }
  for (const file of sources.flatMap(filesBelow).filter(isSent)) {
    const source = sources.find((each) => file === each || file.startsWith(`${each}/`)) ?? '';
    const place = target === './' ? file : `${target}${file.slice(source.length)}`;
    cpSync(path.join(root, file), path.join(app, place));
  }
}

/** The file itself, or every file of the folder, as paths from the root. */
export function filesBelow(place: string): string[] {
  const entries = globSync([place, `${place}/**/*`], { cwd: root, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

function toPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/gu, String.raw`\$&`);
  const source = escaped.replaceAll('**/', '(?:.*/)?').replaceAll(/(?<!\.)\*/gu, '[^/]*');
  return new RegExp(`^${source}$`, 'u');
}
