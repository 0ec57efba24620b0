import { expect, test } from 'vitest';
import { createRecentSet } from './recent-set.ts';

test('of more values than there is room for, the one that was added longest ago goes', () => {
  const set = createRecentSet<number>(2);
  for (const value of [1, 2, 1, 3]) set.add(value);
  expect([1, 2, 3].map(set.has)).toEqual([true, false, true]);
});
