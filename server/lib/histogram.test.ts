import { expect, test } from 'vitest';
import { createHistogram } from './histogram.ts';

test('a value is in every bucket whose bound it does not exceed', () => {
  const histogram = createHistogram([1, 10, 100]);
  for (const value of [1, 2, 10, 11, 1_000]) histogram.note(value);
  expect(histogram.read()).toEqual({ bounds: [1, 10, 100], countsUpTo: [1, 3, 4], count: 5, sum: 1_024 });
});

test('of nothing it counts nothing', () => {
  expect(createHistogram([1]).read()).toEqual({ bounds: [1], countsUpTo: [0], count: 0, sum: 0 });
});
