/**
 * UUID version 7 (RFC 9562, section 5.7) with method 3 of section 6.2: the 12 bits behind the millisecond hold its fraction,
 * so ids of one process grow strictly and tell nothing about how many were made.
 */
import { randomFillSync } from 'node:crypto';

const poolBytes = 8 * 1024;
const pool = Buffer.allocUnsafe(poolBytes);
let poolOffset = poolBytes;

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const ticksPerMs = 1000;
const fractionsPerTick = 4096 / ticksPerMs;

/** Makes 16-byte ids that grow strictly within this process. `nowMs` may carry a fraction: milliseconds since 1970. */
export function createUuidV7Source(nowMs: () => number): () => Buffer {
  const nextTick = createTickSource(nowMs);
  return () => toUuidV7(nextTick());
}

/** Microseconds since 1970 that grow strictly: when the clock stands or steps back, they run ahead of it by one each. */
export function createTickSource(nowMs: () => number): () => number {
  let lastTick = 0;
  return () => {
    lastTick = Math.max(Math.floor(nowMs() * ticksPerMs), lastTick + 1);
    return lastTick;
  };
}

/** The id of a moment in microseconds since 1970. */
export function toUuidV7(tick: number): Buffer {
  if (poolOffset === poolBytes) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const bytes = Buffer.from(pool.subarray(poolOffset, poolOffset + 16));
  poolOffset += 16;
  const ticks = tick % ticksPerMs;
  const fraction = Math.floor(ticks * fractionsPerTick);
  bytes.writeUIntBE((tick - ticks) / ticksPerMs, 0, 6);
  bytes[6] = 0x70 | (fraction >> 8);
  bytes[7] = fraction & 0xff;
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytes;
}

/** The canonical text of 16 bytes: 8-4-4-4-12 lower-case hexadecimal digits. */
export function toUuidText(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < 16; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += hexOfByte[bytes[index] ?? 0];
  }
  return text;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

/** Whether the text is a UUID of any version in its canonical form. */
export function isUuidText(text: string): boolean {
  return uuidPattern.test(text);
}

/** The 16 bytes of a canonical UUID text. */
export function toUuidBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}
