import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSelections, parseSelectionsText, toSelectionsText } from './ballot.ts';
import { makePoll } from './test-support.ts';

const poll = makePoll({ selectionsMin: 1, selectionsMax: 2 });

test('option ids become option numbers in ballot order', () => {
  expect(checkSelections(poll, ['3', '1'])).toEqual({ selections: [1, 3], violations: [] });
});

test('numbers are sorted as numbers, not as text', () => {
  const many = makePoll({ selectionsMax: 12 }, 12);
  expect(checkSelections(many, ['10', '9', '2', '12']).selections).toEqual([2, 9, 10, 12]);
});

test.for<[optionIds: string[], violations: { pointer: string; rule: string }[]]>([
  [['4'], [{ pointer: '/selections/0', rule: 'option_unknown' }]],
  [['1', '1'], [{ pointer: '/selections/1', rule: 'option_repeated' }]],
  [['1', '2', '3'], [{ pointer: '/selections', rule: 'overvote' }]],
  [[], [{ pointer: '/selections', rule: 'undervote' }]],
  [
    ['1', '1', 'x'],
    [
      { pointer: '/selections/1', rule: 'option_repeated' },
      { pointer: '/selections/2', rule: 'option_unknown' },
      { pointer: '/selections', rule: 'overvote' },
    ],
  ],
])('the selections %j break these rules: %j', ([optionIds, violations]) => {
  expect(checkSelections(poll, optionIds).violations).toEqual(violations);
});

test('a blank ballot is one where the poll allows it', () => {
  expect(checkSelections({ ...poll, selectionsMin: 0 }, [])).toEqual({ selections: [], violations: [] });
  expect(toSelectionsText([])).toBe('');
  expect(parseSelectionsText('')).toEqual([]);
});

test('what is written for the ledger is read as it was', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { maxLength: 200 }), (numbers) => {
      const selections = numbers.sort((a, b) => a - b);
      expect(parseSelectionsText(toSelectionsText(selections))).toEqual(selections);
      expect(toSelectionsText(selections)).toBe(selections.join(','));
    }),
    { numRuns: 50 },
  );
});
