import { expect, test } from 'vitest';
import { parseManaged, toNeighbours } from './deck.ts';

const none: ReadonlySet<string> = new Set();

test('the polls of the server come first, then those that this browser made, each once', () => {
  expect(toNeighbours('b', ['a', 'b'], ['b', 'c'], none)).toEqual({ previous: 'a', next: 'c' });
  expect(toNeighbours('c', ['a', 'b'], ['b', 'c'], none)).toEqual({ previous: 'b', next: null });
});

test('a poll alone has no neighbours', () => {
  expect(toNeighbours('a', ['a'], [], none)).toEqual({ previous: null, next: null });
  expect(toNeighbours('a', [], [], none)).toEqual({ previous: null, next: null });
});

test('a poll that is gone is stepped over', () => {
  expect(toNeighbours('a', ['a', 'b', 'c'], [], new Set(['b']))).toEqual({ previous: null, next: 'c' });
});

test.for([
  [null, []],
  ['', []],
  ['{', []],
  ['{"slug":"a"}', []],
  ['[{"slug":"a","id":"1","question":"?"},{"slug":7},null,"b",{"slug":""}]', ['a']],
] as const)('of what is remembered as %s the slugs are %o', ([text, slugs]) => {
  expect(parseManaged(text)).toEqual(slugs);
});
