import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toShares } from './shares.ts';

test('three equal parts add up to the whole', () => {
  expect(toShares([1, 1, 1])).toEqual([334, 333, 333]);
  expect(toShares([1, 1, 1], 100)).toEqual([34, 33, 33]);
});

test('of nothing every share is nothing', () => {
  expect(toShares([0, 0])).toEqual([0, 0]);
  expect(toShares([])).toEqual([]);
});

test('shares add up, keep the order of the counts, and are off by less than one unit', () => {
  const counts = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(counts, (given) => {
      const sum = given.reduce((total, count) => total + count, 0);
      const shares = toShares(given);
      expect(shares.reduce((total, share) => total + share, 0)).toBe(sum === 0 ? 0 : 1_000);
      for (const [index, count] of given.entries()) {
        if (sum > 0) expect(Math.abs((shares[index] ?? 0) - (count * 1_000) / sum)).toBeLessThan(1);
        for (const [other, less] of given.entries()) {
          if (less < count) expect(shares[other]).toBeLessThanOrEqual(shares[index] ?? 0);
        }
      }
    }),
    { numRuns: 100 },
  );
});
