import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHistogram, median, quantile } from './statistics.ts';

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('a quantile is a value that was there', () => {
  expect([0, 0.5, 0.99, 1].map((share) => quantile([5, 1, 4, 2, 3], share))).toEqual([1, 3, 5, 5]);
});

test('a histogram is at most three percent or a microsecond above the exact quantile', () => {
  const durations = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99, 1), (values, share) => {
      const histogram = createHistogram();
      for (const value of values) histogram.add(value);
      const exact = quantile(values, share);
      const told = histogram.quantile(share);
      expect(told).toBeGreaterThanOrEqual(exact * 0.999_999);
      expect(told).toBeLessThanOrEqual(exact * 1.032 + 0.002);
    }),
  );
});
