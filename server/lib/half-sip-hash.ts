/**
 * HalfSipHash-2-4 (Aumasson and Bernstein, github.com/veorq/SipHash): 32 bits of a few bytes under a key of 64. Whoever has not the key cannot
 * tell the hash of other bytes; it does not resist somebody who can try thousands of millions of keys.
 */

export type HalfSipKey = readonly [first: number, second: number];

const middleRounds = 2;
const lastRounds = 4;

/** The hash of the first `length` bytes, as an unsigned number. */
export function halfSipHash([first, second]: HalfSipKey, bytes: Buffer, length = bytes.length): number {
  let v0 = first;
  let v1 = second;
  let v2 = 0x6c796765 ^ first;
  let v3 = 0x74656462 ^ second;
  const wordCount = (length >> 2) + 1;
  for (let index = 0; index <= wordCount; index += 1) {
    const isLast = index === wordCount;
    const word = isLast ? 0 : readWord(bytes, index * 4, length);
    if (isLast) v2 ^= 0xff;
    v3 ^= word;
    for (let round = isLast ? lastRounds : middleRounds; round > 0; round -= 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}

/** Four bytes, little end first. The word of the rest carries the length in its last byte. */
function readWord(bytes: Buffer, offset: number, length: number): number {
  if (offset + 4 <= length) return bytes.readInt32LE(offset);
  let word = length << 24;
  for (let index = offset; index < length; index += 1) word |= (bytes[index] ?? 0) << ((index - offset) * 8);
  return word;
}
