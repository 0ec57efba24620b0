import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTopStandings, type Standing } from './leaderboard.ts';

const standing = fc.record({
  pollNo: fc.integer({ min: 1, max: 6 }),
  optionNo: fc.integer({ min: 1, max: 6 }),
  votes: fc.nat({ max: 5 }),
});
const standings = fc.uniqueArray(standing, {
  maxLength: 36,
  selector: ({ pollNo, optionNo }) => `${pollNo} ${optionNo}`,
});

function topOf(all: readonly Standing[], limit: number): Standing[] {
  const top = createTopStandings(limit);
  for (const { pollNo, optionNo, votes } of all) top.offer(pollNo, optionNo, votes);
  return top.list();
}

test('the leaders are the head of the whole list, sorted', () => {
  fc.assert(
    fc.property(standings, fc.integer({ min: 1, max: 40 }), (all, limit) => {
      const sorted = all.toSorted((a, b) => b.votes - a.votes || a.pollNo - b.pollNo || a.optionNo - b.optionNo);
      expect(topOf(all, limit)).toEqual(sorted.slice(0, limit));
    }),
    { numRuns: 200 },
  );
});

test('what has no room is not among the leaders, whatever comes before or after it', () => {
  fc.assert(
    fc.property(standings, fc.integer({ min: 0, max: 10 }), (all, limit) => {
      const top = createTopStandings(limit);
      for (const { pollNo, optionNo, votes } of all) {
        if (top.hasRoomFor(pollNo, votes)) top.offer(pollNo, optionNo, votes);
      }
      expect(top.list()).toEqual(topOf(all, limit));
    }),
    { numRuns: 200 },
  );
});

test('no standings have no leaders, and of none at most none lead', () => {
  expect(topOf([], 10)).toEqual([]);
  expect(topOf([{ pollNo: 1, optionNo: 1, votes: 1 }], 0)).toEqual([]);
});
