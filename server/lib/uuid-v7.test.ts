import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUuidV7Source, isUuidText, toUuidBytes, toUuidText } from './uuid-v7.ts';

const start = 1_700_000_000_000;

/** RFC 9562, section 5.7: 48 bits of milliseconds, version 7, 12 bits, variant 10, 62 bits. */
function readFields(id: Buffer) {
  const bits = BigInt(`0x${id.toString('hex')}`);
  return {
    ms: Number(bits >> 80n),
    version: Number((bits >> 76n) & 0xfn),
    fraction: Number((bits >> 64n) & 0xfffn) / 4096,
    variant: Number((bits >> 62n) & 0b11n),
    random: bits & ((1n << 62n) - 1n),
  };
}

test('an id has the time, the version, the variant and the fraction where the RFC wants them', () => {
  const fields = readFields(createUuidV7Source(() => start + 0.5)());
  expect(fields).toMatchObject({ ms: start, version: 7, variant: 0b10 });
  expect(fields.fraction).toBeCloseTo(0.5, 3);
});

test('the last bits are random', () => {
  const makeId = createUuidV7Source(() => start);
  const drawn = Array.from({ length: 2_000 }, () => readFields(makeId()).random);
  expect(new Set(drawn).size).toBe(2_000);
  for (let bit = 0n; bit < 62n; bit += 1n) {
    const ones = drawn.filter((random) => ((random >> bit) & 1n) === 1n).length;
    expect(ones).toBeGreaterThan(800);
    expect(ones).toBeLessThan(1_200);
  }
});

test('ids grow strictly while the clock stands, steps back, jumps and goes on', () => {
  const move = fc.oneof(fc.constant(0), fc.double({ min: -5_000, max: 5_000, noNaN: true }));
  fc.assert(
    fc.property(fc.array(move, { minLength: 2, maxLength: 100 }), (moves) => {
      let now = start;
      const makeId = createUuidV7Source(() => now);
      let last: Buffer = Buffer.alloc(16);
      for (const by of moves) {
        now += by;
        const id = makeId();
        expect(Buffer.compare(id, last)).toBe(1);
        expect(toUuidText(id) > toUuidText(last)).toBe(true);
        expect(readFields(id)).toMatchObject({ version: 7, variant: 0b10 });
        last = id;
      }
    }),
    { numRuns: 100 },
  );
});

test('while the clock stands an id runs ahead of it by one microsecond', () => {
  const makeId = createUuidV7Source(() => start);
  const ids = Array.from({ length: 3_001 }, () => readFields(makeId()));
  expect(ids.at(0)).toMatchObject({ ms: start, fraction: 0 });
  expect(ids.at(1_000)).toMatchObject({ ms: start + 1, fraction: 0 });
  expect(ids.at(3_000)).toMatchObject({ ms: start + 3, fraction: 0 });
});

test('ids do not share memory', () => {
  const makeId = createUuidV7Source(() => start);
  const first = makeId();
  const text = toUuidText(first);
  for (let count = 0; count < 1_000; count += 1) makeId().fill(0);
  expect(toUuidText(first)).toBe(text);
});

test('bytes and text of an id lead to each other', () => {
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      expect(isUuidText(text)).toBe(true);
      expect(toUuidText(toUuidBytes(text))).toBe(text);
    }),
    { numRuns: 50 },
  );
});

test.for(['', 'x', '018f0000-0000-7000-8000-00000000000', '018f0000000070008000000000000001', '{018f}', 'nil\n'])(
  '%j is no id',
  (text) => {
    expect(isUuidText(text)).toBe(false);
  },
);
