import { expect, test } from 'vitest';
import type { BarRow } from '../parts/result-bars.tsx';
import { toShownRows, toWinners } from './standings.ts';

const rowsOf = (...votes: number[]): BarRow[] =>
  votes.map((count, index) => ({
    id: String(index),
    text: `Option ${index}`,
    votes: count,
    share: 0,
    leads: count > 0 && count === Math.max(...votes),
  }));
const ids = (rows: readonly BarRow[]): string => rows.map(({ id }) => id).join(' ');

test('rows stand in ballot order until the poll is closed', () => {
  expect(ids(toShownRows(rowsOf(1, 3, 2), 'open').first)).toBe('0 1 2');
  expect(ids(toShownRows(rowsOf(1, 3, 2), 'closing').first)).toBe('0 1 2');
  expect(ids(toShownRows(rowsOf(1, 3, 2), 'closed').first)).toBe('1 2 0');
});

test('of many rows the ten with the most votes are shown, and none is left out for the sake of one', () => {
  const many = rowsOf(...Array.from({ length: 20 }, (_, index) => index));
  expect(ids(toShownRows(many, 'open').first)).toBe('10 11 12 13 14 15 16 17 18 19');
  expect(toShownRows(many, 'open').others).toHaveLength(10);
  expect(ids(toShownRows(many, 'closed').first)).toBe('19 18 17 16 15 14 13 12 11 10');
  expect(toShownRows(many.slice(0, 12), 'open').others).toEqual([]);
});

test('equal votes win together, and nobody wins with none', () => {
  expect(ids(toWinners(rowsOf(2, 5, 5)))).toBe('1 2');
  expect(toWinners(rowsOf(0, 0))).toEqual([]);
});
