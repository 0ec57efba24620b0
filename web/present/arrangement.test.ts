import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toArrangement, toRowsShown, toTextSize } from './arrangement.ts';

function optionsAndTally(votes: readonly number[]) {
  return {
    options: votes.map((_, index) => ({ id: String(index), text: `Option ${index}`, description: null })),
    tally: { counts: votes.map((count, index) => ({ optionId: String(index), votes: count, lastTenMinutes: 0 })) },
  };
}

test.for([
  [2, { columns: 1, rowsPerColumn: 2, named: 2 }],
  [8, { columns: 1, rowsPerColumn: 8, named: 8 }],
  [9, { columns: 2, rowsPerColumn: 5, named: 9 }],
  [16, { columns: 2, rowsPerColumn: 8, named: 16 }],
  [17, { columns: 2, rowsPerColumn: 8, named: 15 }],
  [200, { columns: 2, rowsPerColumn: 8, named: 15 }],
] as const)('%i options are laid out as %o', ([count, arrangement]) => {
  expect(toArrangement(count)).toEqual(arrangement);
});

test('no option and no vote is lost between the rows and the rest, and the percents add up', () => {
  const anyVotes = fc.array(fc.nat({ max: 10_000_000_000 }), { minLength: 2, maxLength: 200 });
  fc.assert(
    fc.property(anyVotes, fc.constantFrom('ballot' as const, 'votes' as const), (votes, order) => {
      const { options, tally } = optionsAndTally(votes);
      const { rows, rest } = toRowsShown(options, tally, order);
      const total = votes.reduce((all, each) => all + each, 0);
      expect(rows.length + (rest?.options ?? 0)).toBe(votes.length);
      expect(rows.reduce((all, row) => all + row.votes, rest?.votes ?? 0)).toBe(total);
      expect(rows.reduce((all, row) => all + row.percent, rest?.percent ?? 0)).toBe(total === 0 ? 0 : 100);
    }),
    { numRuns: 100 },
  );
});

test('while voting goes on the named options keep the order of the ballot', () => {
  const { options, tally } = optionsAndTally(Array.from({ length: 20 }, (_, index) => (index * 7) % 20));
  const { rows } = toRowsShown(options, tally, 'ballot');
  const places = rows.map(({ id }) => Number(id));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(Math.min(...rows.map(({ votes }) => votes))).toBe(5);
});

test('an outcome is sorted by votes, and equals stay in ballot order', () => {
  const { options, tally } = optionsAndTally([1, 3, 3, 2]);
  expect(toRowsShown(options, tally, 'votes').rows.map(({ id }) => id)).toEqual(['1', '2', '3', '0']);
});

test('nobody leads before the first vote', () => {
  const { options, tally } = optionsAndTally([0, 0]);
  expect(toRowsShown(options, tally, 'ballot').rows.some(({ leads }) => leads)).toBe(false);
});

test('the size of a text goes by its characters, an emoji counted as one', () => {
  expect(toTextSize('🎉🎉', [2, 4, 6])).toBe('large');
  expect(toTextSize('abc', [2, 4, 6])).toBe('medium');
  expect(toTextSize('abcdef', [2, 4, 6])).toBe('small');
  expect(toTextSize('abcdefg', [2, 4, 6])).toBe('tiny');
});
