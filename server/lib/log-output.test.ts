import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createLogOutput } from './log-output.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'hustings-log-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function openFile(name: string): { fd: number; read: () => string } {
  const file = path.join(folder, name);
  return { fd: fs.openSync(file, 'w'), read: () => fs.readFileSync(file, 'utf8') };
}

const lines = Array.from({ length: 1_000 }, (_, index) => `{"msg":"line ${index} é"}\n`);

test('lines come in their order and whole, without anybody waiting for them', async () => {
  const { fd, read } = openFile('order');
  const output = createLogOutput(fd, { charactersWaitingMax: 1_000_000 });
  for (const line of lines) output.write(line);
  await vi.waitFor(() => expect(read()).toBe(lines.join('')));
});

test('at the end what waits is written at once', () => {
  const { fd, read } = openFile('end');
  const output = createLogOutput(fd, { charactersWaitingMax: 1_000_000 });
  for (const line of lines) output.write(line);
  output.flushSync();
  // The first was under way, and may come twice: rather that than not at all.
  expect(read().endsWith(lines.slice(1).join(''))).toBe(true);
});

test('no more waits than may, and later lines come all the same', async () => {
  const { fd, read } = openFile('limit');
  const output = createLogOutput(fd, { charactersWaitingMax: 100 });
  for (const line of lines) output.write(line);
  await vi.waitFor(() => expect(read()).not.toBe(''));
  await vi.waitFor(() => {
    output.write('last\n');
    expect(read()).toMatch(/last\n$/u);
  });
  expect(read().length).toBeLessThan(lines.join('').length / 2);
});

test.skipIf(!fs.existsSync('/dev/full'))('a full disk throws nothing, and is not waited for at the end', async () => {
  const fd = fs.openSync('/dev/full', 'w');
  const output = createLogOutput(fd, { charactersWaitingMax: 1_000_000 });
  for (const line of lines) output.write(line);
  await new Promise((resolve) => setImmediate(resolve));
  output.write('more\n');
  output.flushSync();
});
