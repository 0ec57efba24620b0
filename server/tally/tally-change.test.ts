import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChangeSums, type CountingEffect, type TallyChange } from './tally-change.ts';

test('ballots with the same selections in the same second become one sum for each option', () => {
  const sums = createChangeSums();
  sums.add(7, [1, 3], 5_000, 'counted');
  sums.add(7, [1, 3], 5_999, 'counted');
  expect(sums.toChanges()).toEqual([
    { pollNo: 7, optionNo: 1, second: 5, votes: 2, ballots: 2, changes: 2 },
    { pollNo: 7, optionNo: 3, second: 5, votes: 2, ballots: 0, changes: 0 },
  ]);
});

test('a blank ballot is a ballot without a vote', () => {
  const sums = createChangeSums();
  sums.add(7, [], 5_000, 'counted');
  expect(sums.toChanges()).toEqual([{ pollNo: 7, optionNo: 0, second: 5, votes: 0, ballots: 1, changes: 1 }]);
});

test('a superseded ballot leaves its own second, and the change counts once', () => {
  const sums = createChangeSums();
  sums.add(7, [2], 90_000, 'supersedes');
  sums.add(7, [1], 5_000, 'superseded');
  expect(sums.toChanges()).toEqual([
    { pollNo: 7, optionNo: 2, second: 90, votes: 1, ballots: 1, changes: 1 },
    { pollNo: 7, optionNo: 1, second: 5, votes: -1, ballots: -1, changes: 0 },
  ]);
});

const effect = fc.record({
  pollNo: fc.constantFrom(1, 2, 1024),
  selections: fc.uniqueArray(fc.constantFrom(1, 2, 1000), { maxLength: 3 }),
  castAt: fc.constantFrom(1_000, 1_999, 2_000, 700_000),
  kind: fc.constantFrom<CountingEffect>('counted', 'supersedes', 'superseded'),
});

const toPlace = ({ pollNo, optionNo, second }: TallyChange): string => `${pollNo} ${optionNo} ${second}`;

test('the sums are those of the effects one by one', () => {
  fc.assert(
    fc.property(fc.array(effect, { maxLength: 40 }), (effects) => {
      const sums = createChangeSums();
      const expected = new Map<string, TallyChange>();
      for (const { pollNo, selections, castAt, kind } of effects) {
        sums.add(pollNo, selections, castAt, kind);
        const second = Math.floor(castAt / 1000);
        const sign = kind === 'superseded' ? -1 : 1;
        for (const [place, optionNo] of (selections.length === 0 ? [0] : selections).entries()) {
          const sum = { pollNo, optionNo, second, votes: 0, ballots: 0, changes: 0 };
          const { votes, ballots, changes } = expected.get(toPlace(sum)) ?? sum;
          expected.set(toPlace(sum), {
            ...sum,
            votes: votes + (optionNo === 0 ? 0 : sign),
            ballots: ballots + (place === 0 ? sign : 0),
            changes: changes + (place === 0 && sign > 0 ? 1 : 0),
          });
        }
      }
      const changes = sums.toChanges();
      expect(new Map(changes.map((change) => [toPlace(change), change]))).toEqual(expected);
      expect(changes).toHaveLength(expected.size);
    }),
    { numRuns: 100 },
  );
});
