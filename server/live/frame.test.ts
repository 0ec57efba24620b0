import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrame, toWebSocketBytes } from './frame.ts';

/** What a client reads from an unmasked frame. */
function readText(bytes: Buffer): string {
  const [first, short = 0] = bytes;
  expect(first).toBe(0x81);
  const [headBytes, length] =
    short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(2)] : [10, Number(bytes.readBigUInt64BE(2))];
  expect(bytes).toHaveLength(headBytes + length);
  return bytes.subarray(headBytes).toString('utf8');
}

test.for([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('a text of %i bytes is one whole message', (length) => {
  const text = 'x'.repeat(length);
  expect(readText(toWebSocketBytes(text))).toBe(text);
});

test('any text arrives as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      expect(readText(toWebSocketBytes(text))).toBe(text);
    }),
    { numRuns: 200 },
  );
});

test('a server-sent event is named, numbered and one line long, whatever its texts hold', () => {
  const frame = createFrame({ type: 'tally', question: 'a\nb\r\n\ndata: evil' } as { type: string }, 'e-1-2');
  expect(frame.eventBytes().toString()).toBe(`event: tally\nid: e-1-2\ndata: ${frame.text}\n\n`);
  expect(frame.eventBytes()).toBe(frame.eventBytes());
});
