import { expect, test } from 'vitest';
import { fillGaps, findPeak, pointsMax, toStepSeconds } from './series.ts';

test.for([
  [0, 1],
  [300, 1],
  [301, 10],
  [3_600, 10],
  [3_601, 60],
  [172_800, 60],
  [172_801, 3_600],
  [2_998 * 3_600, 3_600],
  [2_998 * 3_600 + 1, 86_400],
  [100_000_000, 86_400],
] as const)('a span of %i s has points of %i s', ([span, step]) => {
  expect(toStepSeconds(span)).toBe(step);
});

test('steps without votes are there with none, up to now', () => {
  const points = fillGaps(
    [
      { second: 100, votes: 2 },
      { second: 120, votes: 1 },
    ],
    10,
    145,
  );
  expect(points.map(({ second, votes }) => [second, votes])).toEqual([
    [100, 2],
    [110, 0],
    [120, 1],
    [130, 0],
    [140, 0],
  ]);
});

test('the longest span of hours keeps its first point, wherever in an hour it begins', () => {
  const [first, last] = [3_599, 3_599 + 2_998 * 3_600];
  const buckets = [
    { second: 0, votes: 1 },
    { second: last - (last % 3_600), votes: 1 },
  ];
  expect(toStepSeconds(last - first)).toBe(3_600);
  expect(fillGaps(buckets, 3_600, last)[0]).toEqual({ second: 0, votes: 1 });
});

test('of a span that is too long the newest points are left', () => {
  const points = fillGaps(
    [
      { second: 0, votes: 1 },
      { second: 36_000_000, votes: 5 },
    ],
    3600,
    36_000_000,
  );
  expect(points).toHaveLength(pointsMax);
  expect(points.at(-1)).toEqual({ second: 36_000_000, votes: 5 });
});

test('the peak is the first of the highest points, and nobody voting has none', () => {
  expect(
    findPeak([
      { second: 1, votes: 2 },
      { second: 2, votes: 5 },
      { second: 3, votes: 5 },
    ])?.second,
  ).toBe(2);
  expect(findPeak([{ second: 1, votes: 0 }])).toBeNull();
  expect(fillGaps([], 1, 5)).toEqual([]);
});
