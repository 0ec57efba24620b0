import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openDumpFile, writeDumpFile, type DumpFrame, type DumpHeader } from './dump-file.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const header: DumpHeader = {
  version: '1.2.3',
  madeAt: '2026-11-21T00:00:00.000Z',
  epoch: '00112233aabbccdd',
  migrations: ['0001_first', '0002_second'],
};

/** One body is longer than what comes out of the file at a time, one has no bytes. */
const sample: readonly DumpFrame[] = [
  { kind: 'table', table: 'polls', columns: ['poll_no', 'question'] },
  { kind: 'rows', bytes: Buffer.from('1\tTea or coffee?\n') },
  { kind: 'rows', bytes: Buffer.alloc(0) },
  { kind: 'rows', bytes: Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * at) % 251)) },
  { kind: 'end', rowCount: 2 },
  { kind: 'counters', counters: [{ table: 'polls', column: 'poll_no', last: 2 }] },
];

test('a file gives back what went into it, as often as it is read', async () => {
  const { file } = await makeFile();
  const dump = await openDumpFile(file);
  expect(dump.header).toEqual(header);
  for (let time = 0; time < 2; time += 1) expect(await collect(dump.frames())).toEqual(sample);
});

test('only its owner may read the file, and its first lines say what it is', async () => {
  const { file } = await makeFile();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, 'latin1')).split('\n', 2)).toEqual(['Hustings backup 1', JSON.stringify(header)]);
});

test('a file that is a byte other, shorter or longer is refused, wherever that is', async () => {
  const { file } = await makeFile();
  const whole = await readFile(file);
  const places = [20, 60, whole.length >> 1, whole.length - 100, whole.length - 40, whole.length - 1];
  const altered = places.map((place) => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
    return bytes;
  });
  const cut = [19, 100, whole.length >> 1, whole.length - 1].map((length) => whole.subarray(0, length));
  for (const bytes of [...altered, ...cut, Buffer.concat([whole, Buffer.from('\n')])]) {
    await writeFile(file, bytes);
    await expect(openDumpFile(file)).rejects.toThrow(/is damaged/u);
  }
});

test('another file is no backup, and one of a later format names the format', async () => {
  const { file } = await makeFile();
  await writeFile(file, 'something else');
  await expect(openDumpFile(file)).rejects.toThrow('is no backup of Hustings');
  await writeFile(file, 'Hustings backup 2\n{}\n');
  await expect(openDumpFile(file)).rejects.toThrow('has the format 2');
});

test('a backup that breaks off leaves the one before it and nothing else', async () => {
  const { file, folder } = await makeFile();
  const before = await readFile(file);
  await expect(writeDumpFile(file, header, breakOff())).rejects.toThrow('the database went away');
  expect(await readFile(file)).toEqual(before);
  expect(await readdir(folder)).toEqual([path.basename(file)]);
});

async function collect(frames: AsyncIterable<DumpFrame>): Promise<DumpFrame[]> {
  const all: DumpFrame[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}

async function* breakOff(): AsyncGenerator<DumpFrame> {
  yield* await Promise.resolve(sample);
  throw new Error('the database went away');
}

async function* give(frames: readonly DumpFrame[]): AsyncGenerator<DumpFrame> {
  yield* await Promise.resolve(frames);
}

async function makeFile(): Promise<{ file: string; folder: string }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hustings-dump-'));
  folders.push(folder);
  const file = path.join(folder, 'ledger.backup');
  const { bytes } = await writeDumpFile(file, header, give(sample));
  expect(bytes).toBe((await stat(file)).size);
  return { file, folder };
}
