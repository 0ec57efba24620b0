import { expect, test } from 'vitest';
import { createExpiringSet } from './expiring-set.ts';

test('a value is there for its time, which begins anew when it is added again', () => {
  let now = 0;
  const set = createExpiringSet<string>({ valuesMax: 10, keptMs: 100 }, () => now);
  set.add('a');
  now = 99;
  expect([set.has('a'), set.has('b')]).toEqual([true, false]);
  set.add('a');
  now = 198;
  expect(set.has('a')).toBe(true);
  now = 199;
  expect(set.has('a')).toBe(false);
});

test('of too many values the one that was added longest ago goes', () => {
  const set = createExpiringSet<number>({ valuesMax: 2, keptMs: 100 }, () => 0);
  for (const value of [1, 2, 1, 3]) set.add(value);
  expect([1, 2, 3].map(set.has)).toEqual([true, false, true]);
});
