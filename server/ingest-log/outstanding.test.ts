import { expect, test } from 'vitest';
import { createOutstanding } from './outstanding.ts';

test('the oldest segment that is not recorded bounds what is settled', () => {
  const outstanding = createOutstanding();
  expect(outstanding.oldestAt()).toBeNull();
  for (const [no, at] of [
    [1, 100],
    [2, 200],
    [3, 300],
  ] as const)
    outstanding.add(no, at);
  outstanding.remove(2);
  expect(outstanding.oldestAt()).toBe(100);
  outstanding.remove(1);
  expect(outstanding.oldestAt()).toBe(300);
  outstanding.remove(3);
  expect([outstanding.oldestAt(), outstanding.count()]).toEqual([null, 0]);
});

test('a segment in doubt is waited for a while, and not for ever', () => {
  const clock = { now: 0 };
  const outstanding = createOutstanding(() => clock.now);
  outstanding.add(1, 100);
  outstanding.add(2, 200);
  outstanding.doubt(1);
  clock.now = 14_999;
  expect(outstanding.oldestAt()).toBe(100);
  clock.now = 15_000;
  expect(outstanding.oldestAt()).toBe(200);
  outstanding.doubt(9);
  expect(outstanding.count()).toBe(1);
});
