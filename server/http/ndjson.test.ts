import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { readLines } from './ndjson.ts';

async function* toChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const size of sizes) {
    if (offset < bytes.length) yield bytes.subarray(offset, offset + size);
    offset += size;
  }
  if (offset < bytes.length) yield bytes.subarray(offset);
}

/** The lines, and the code of the error that ended the reading. */
async function read(text: string | Buffer, lineBytesMax: number, sizes: readonly number[] = []) {
  const lines: string[] = [];
  try {
    for await (const some of readLines(toChunks(Buffer.from(text), sizes), lineBytesMax)) lines.push(...some);
  } catch (error) {
    return { lines, code: error instanceof AppError ? error.code : String(error) };
  }
  return { lines, code: null };
}

test('lines come without their ends, the last one with or without an end, and blank ones not at all', async () => {
  expect(await read('a\n\n  \nb', 10)).toEqual({ lines: ['a', 'b'], code: null });
  expect(await read('a\nb\n', 10)).toEqual({ lines: ['a', 'b'], code: null });
  expect(await read('', 10)).toEqual({ lines: [], code: null });
});

test('however the bytes are cut, the lines are the same', async () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => text.trim() !== '');
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.array(line.map((text) => text.replaceAll('\n', ' '))), sizes, async (all, cuts) => {
      const kept = all.filter((text) => text.trim() !== '');
      expect(await read(`${kept.join('\n')}\n`, 1_000, cuts)).toEqual({ lines: kept, code: null });
    }),
    { numRuns: 50 },
  );
});

test('a line that is too long ends the reading after the lines before it', async () => {
  expect(await read('abc\nabcd\nx\n', 3)).toEqual({ lines: ['abc'], code: 'body_too_large' });
  expect(await read('abc\nabcd', 3)).toEqual({ lines: ['abc'], code: 'body_too_large' });
  expect(await read('abc\nabc', 3)).toEqual({ lines: ['abc', 'abc'], code: null });
});

test('a line without an end is refused before it fills the memory', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      given += 1;
      yield Buffer.alloc(1_000, 'a');
    }
  }
  const lines = readLines(endless(), 10_000);
  await expect(lines.next()).rejects.toMatchObject({ code: 'body_too_large' });
  expect(given).toBe(11);
});

test('a line that is no UTF-8 is no JSON, and spoils no other', async () => {
  const bytes = Buffer.concat([Buffer.from('a\n"'), Buffer.from([0xff, 0xfe]), Buffer.from('"\nb\n')]);
  const { lines } = await read(bytes, 10);
  expect([lines.length, lines[0], lines[2]]).toEqual([3, 'a', 'b']);
  expect(() => JSON.parse(lines[1] ?? '')).toThrow('JSON');
});

/** It is measured in characters where its end is in the same chunk, in bytes where it is not. */
test('a line is measured in bytes, however it is cut', async () => {
  const text = `${'é'.repeat(6)}\n`;
  expect(await read(text, 10, [4])).toEqual({ lines: [], code: 'body_too_large' });
  expect(await read(text, 10)).toEqual({ lines: [], code: 'body_too_large' });
});
