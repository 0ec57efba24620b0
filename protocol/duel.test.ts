import { expect, test } from 'vitest';
import { toDuelSides, toSummaryText, toTotalText } from './duel.ts';

test('before the first vote there is no share, no leader and a sentence of its own', () => {
  const sides = toDuelSides({ a: 0, b: 0 });
  expect(sides.map(({ share, votes, leads, standing }) => [share, votes, leads, standing])).toEqual([
    ['0.0%', '0 votes', false, ''],
    ['0.0%', '0 votes', false, ''],
  ]);
  expect(sides.map(({ clip }) => clip)).toEqual(['inset(0 100% 0 0 round 8px)', 'inset(0 100% 0 0 round 8px)']);
  expect(toTotalText({ a: 0, b: 0 })).toBe('No votes yet');
});

test('one vote is one vote', () => {
  expect(toTotalText({ a: 0, b: 1 })).toBe('1 vote');
  expect(toDuelSides({ a: 0, b: 1 }).map(({ votes }) => votes)).toEqual(['0 votes', '1 vote']);
});

test('shares add up to 100 %, the leader is named in a word, and a tie says so', () => {
  expect(toDuelSides({ a: 2, b: 1 }).map(({ share, standing }) => [share, standing])).toEqual([
    ['66.7%', 'Ahead'],
    ['33.3%', ''],
  ]);
  expect(toDuelSides({ a: 3, b: 3 }).map(({ standing }) => standing)).toEqual(['Tie', 'Tie']);
  expect(toSummaryText({ a: 2, b: 1 }, { a: 'Cats', b: 'Dogs' })).toBe('3 votes. Cats 66.7%, Dogs 33.3%.');
});
