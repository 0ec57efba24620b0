import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toAsciiArray, toInt4Array, toInt8Array, toUuidArray } from './pg-array.ts';

type Decoded = { oid: number; hasNull: boolean; lowerBound: number; elements: (Buffer | null)[] };

/** Reads what `array_recv` of PostgreSQL reads, with a view of its own, and insists that nothing is left over. */
function decode(bytes: Buffer): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const next = (): number => {
    const value = view.getInt32(offset);
    offset += 4;
    return value;
  };
  expect(next()).toBe(1);
  const flags = next();
  expect([0, 1]).toContain(flags);
  const oid = next();
  const count = next();
  const lowerBound = next();
  const elements: (Buffer | null)[] = [];
  for (let index = 0; index < count; index += 1) {
    const length = next();
    elements.push(length === -1 ? null : bytes.subarray(offset, offset + length));
    offset += Math.max(length, 0);
  }
  expect(offset).toBe(bytes.byteLength);
  return { oid, hasNull: flags === 1, lowerBound, elements };
}

const runs = { numRuns: 50 };

test('int4', () => {
  const number = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(fc.array(number), (values) => {
      const { elements, ...head } = decode(toInt4Array(values));
      expect(head).toEqual({ oid: 23, hasNull: false, lowerBound: 1 });
      expect(elements.map((element) => element?.readInt32BE())).toEqual(values);
    }),
    runs,
  );
});

test('int8, up to the largest safe integers', () => {
  const number = fc.option(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 2 ** 32, 2 ** 31, -(2 ** 32))));
  fc.assert(
    fc.property(fc.array(number), (values) => {
      const { elements, ...head } = decode(toInt8Array(values));
      expect(head).toEqual({ oid: 20, hasNull: values.includes(null), lowerBound: 1 });
      expect(elements.map((element) => element?.readBigInt64BE() ?? null)).toEqual(
        values.map((value) => (value === null ? null : BigInt(value))),
      );
    }),
    runs,
  );
});

test('uuid', () => {
  const id = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)));
  fc.assert(
    fc.property(fc.array(id), (values) => {
      const { elements, ...head } = decode(toUuidArray(values));
      expect(head).toEqual({ oid: 2950, hasNull: values.includes(null), lowerBound: 1 });
      expect(elements).toEqual(values);
    }),
    runs,
  );
});

test('text in ASCII', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 20 })), (values) => {
      const { elements, ...head } = decode(toAsciiArray(values));
      expect(head).toEqual({ oid: 25, hasNull: false, lowerBound: 1 });
      expect(elements.map((element) => element?.toString('ascii'))).toEqual(values);
    }),
    runs,
  );
});
