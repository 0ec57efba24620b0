import { expect, test } from 'vitest';
import { sortBoard } from './board-order.ts';

const counts = [
  { optionId: 'a', votes: 1, lastTenMinutes: 1 },
  { optionId: 'b', votes: 9, lastTenMinutes: 0 },
  { optionId: 'c', votes: 1, lastTenMinutes: 5 },
];

test.for([
  ['ballot', 'abc'],
  ['top', 'bac'],
  ['new', 'cba'],
  ['trending', 'cab'],
] as const)('the order %s is %s', ([order, expected]) => {
  expect(sortBoard(['a', 'b', 'c'], { counts }, order).join('')).toBe(expected);
});

test('where the results are hidden nothing shows by the order', () => {
  expect(sortBoard(['a', 'b', 'c'], null, 'top')).toEqual(['a', 'b', 'c']);
});
