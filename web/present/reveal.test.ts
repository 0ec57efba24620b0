import { expect, test } from 'vitest';
import { toRevealPauseMs } from './reveal.ts';

test.for([2, 8, 15])('a revealing of %i rows is over within ten seconds', (rowCount) => {
  const pauses = Array.from({ length: rowCount + 1 }, (_, revealed) => toRevealPauseMs(revealed, rowCount));
  expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(10_000);
});

test('the longest pause comes before the first place', () => {
  const pauses = Array.from({ length: 6 }, (_, revealed) => toRevealPauseMs(revealed, 5));
  expect(Math.max(...pauses)).toBe(pauses[4]);
});
