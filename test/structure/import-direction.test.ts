import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkSources, floors, importsOf, type Source } from './imports.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function readSources(): Source[] {
  return globSync(['{protocol,server}/**/*.ts', 'web/**/*.{ts,tsx}'], { cwd: root }).map((file) => ({
    path: file.replaceAll('\\', '/'),
    text: readFileSync(`${root}/${file}`, 'utf8'),
  }));
}

test('every import goes down, none runs in a circle, and no file is a barrel, a drawer or too long', () => {
  const sources = readSources();
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
  expect(checkSources(sources)).toEqual([]);
});

test('ARCHITECTURE.md draws the floors as they are', () => {
  const text = readFileSync(`${root}/ARCHITECTURE.md`, 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) +\| ([^|]+)\|/gmu)];
  const drawn = rows.map(([, floor, names = '']) => [Number(floor), toPlaces(names)]);
  expect(drawn.toReversed()).toEqual(floors.map((names, floor) => [floor, names.toSorted()]));
});

/** `server/live/`, `ops/`: only the first of a row says that it is the server's. */
function toPlaces(names: string): string[] {
  const written = [...names.matchAll(/`([^`]+)`/gu)].map((match) => (match[1] ?? '').replace(/\/$/u, ''));
  return written.map((name) => (/^(?:server\/|protocol$)/u.test(name) ? name : `server/${name}`)).toSorted();
}

test('an import that goes up is found', () => {
  expect(
    checkSources([{ path: 'server/poll/poll.ts', text: "import { pool } from '../ledger/postgres.ts';" }]),
  ).toEqual(['server/poll/poll.ts must not import server/ledger/postgres.ts.']);
});

test('an import between two folders of one floor is found', () => {
  expect(
    checkSources([{ path: 'server/board/memory.ts', text: "import type { Pool } from '../ledger/postgres.ts';" }]),
  ).toEqual(['server/board/memory.ts must not import server/ledger/postgres.ts.']);
});

test('an import over several lines, a lazy one and a bare one are found', () => {
  const text =
    "import {\n  a,\n} from '../http/app.ts';\nawait import('../http/problem.ts');\nimport '../http/views.ts';";
  expect(checkSources([{ path: 'server/lib/a.ts', text }])).toHaveLength(3);
});

test('a circle is found', () => {
  const faults = checkSources([
    { path: 'server/poll/a.ts', text: "import { b } from './b.ts';" },
    { path: 'server/poll/b.ts', text: "import { a } from './a.ts';" },
  ]);
  expect(faults).toEqual(['A cycle: server/poll/a.ts -> server/poll/b.ts -> server/poll/a.ts.']);
});

test('a barrel, a drawer, a default export, a long file and a file without a place are found', () => {
  expect(checkSources([{ path: 'server/poll/index.ts', text: "/** All. */\nexport { a } from './a.ts';\n" }])).toEqual([
    'server/poll/index.ts is a barrel: import from the file itself.',
  ]);
  expect(checkSources([{ path: 'server/lib/utils.ts', text: linesOf(1) }])).toHaveLength(1);
  expect(checkSources([{ path: 'server/lib/a.ts', text: 'export default 1;\n' }])).toHaveLength(1);
  expect(checkSources([{ path: 'server/lib/a.ts', text: linesOf(401) }])).toHaveLength(1);
  expect(checkSources([{ path: 'server/lib/a.ts', text: linesOf(400) }])).toEqual([]);
  expect(checkSources([{ path: 'server/magic/a.ts', text: "import { a } from '../lib/a.ts';" }])).toHaveLength(1);
});

function linesOf(count: number): string {
  return 'const a = 1;\n'.repeat(count);
}

test('a page that imports the server, or another page, is found', () => {
  const text =
    "import { a } from '../../server/lib/a.ts';\nimport { b } from '../results/b.tsx';\nimport { c } from '../parts/c.tsx';";
  expect(checkSources([{ path: 'web/vote/page.tsx', text }])).toEqual([
    'web/vote/page.tsx must not import server/lib/a.ts.',
    'web/vote/page.tsx must not import web/results/b.tsx.',
  ]);
});
