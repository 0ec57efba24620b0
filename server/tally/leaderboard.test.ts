import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topStandings } from './leaderboard.ts';

const standing = fc.record({
  pollNo: fc.integer({ min: 1, max: 6 }),
  optionNo: fc.integer({ min: 1, max: 6 }),
  votes: fc.nat({ max: 5 }),
});
const standings = fc.uniqueArray(standing, {
  maxLength: 36,
  selector: ({ pollNo, optionNo }) => `${pollNo} ${optionNo}`,
});

test('the leaders are the head of the whole list, sorted', () => {
  fc.assert(
    fc.property(standings, fc.integer({ min: 1, max: 40 }), (all, limit) => {
      const sorted = all.toSorted((a, b) => b.votes - a.votes || a.pollNo - b.pollNo || a.optionNo - b.optionNo);
      expect(topStandings(all, limit)).toEqual(sorted.slice(0, limit));
    }),
    { numRuns: 200 },
  );
});

test('no standings have no leaders, and of none at most none lead', () => {
  expect(topStandings([], 10)).toEqual([]);
  expect(topStandings([{ pollNo: 1, optionNo: 1, votes: 1 }], 0)).toEqual([]);
});
