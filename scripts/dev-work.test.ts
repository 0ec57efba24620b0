import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findChanges, scanPlaces, toWork } from './dev-work.ts';

test('files that came, went, were written or put in the place of others have changed, and no others', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'hustings-dev-'));
  try {
    const write = (name: string, text: string) => writeFile(path.join(root, name), text);
    await mkdir(path.join(root, 'web/vote'), { recursive: true });
    for (const name of ['web/same.ts', 'web/gone.ts', 'web/vote/vote.css', 'web/replaced.ts', 'vite.config.ts']) {
      await write(name, 'one');
    }
    const places = ['web', 'server', 'vite.config.ts'];
    const before = scanPlaces(root, places);
    expect(findChanges(before, scanPlaces(root, places))).toEqual([]);

    await mkdir(path.join(root, 'web/new'));
    await write('web/new/page.tsx', 'one');
    await write('web/vote/vote.css', 'another');
    await write('vite.config.ts', 'another');
    await write('web/replacement', 'two');
    await rename(path.join(root, 'web/replacement'), path.join(root, 'web/replaced.ts'));
    await rm(path.join(root, 'web/gone.ts'));
    const changed = ['vite.config.ts', 'web/gone.ts', 'web/new/page.tsx', 'web/replaced.ts', 'web/vote/vote.css'];
    expect(findChanges(before, scanPlaces(root, places))).toEqual(changed);
  } finally {
    await rm(root, { recursive: true });
  }
});

test.for([
  [['web/vote/vote.css'], 'pages'],
  [['web/vote/page.tsx', 'server/main.ts'], 'pages'],
  [['protocol/poll.ts'], 'pages'],
  [['vite.config.ts'], 'pages'],
  [['server/http/app.ts'], 'server'],
  [['server/ledger/migrations/0003_more.sql'], 'server'],
  [['server/http/ndjson.test.ts', 'web/live/poll-state.test.ts'], 'nothing'],
  [['web/vote/.page.tsx.swp', 'web/vote/#page.tsx', 'web/vote/page.tsx~', 'web/vote'], 'nothing'],
  [[], 'nothing'],
] as const)('a change of %o asks for %s', ([files, work]) => {
  expect(toWork(files)).toBe(work);
});
