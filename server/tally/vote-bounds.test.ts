import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVoteBounds } from './vote-bounds.ts';
import { createVoteWindow } from './vote-window.ts';

const step = fc.record({
  passed: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 1_500 })),
  late: fc.nat({ max: 20 }),
  pollNo: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(5_000)),
  optionNo: fc.integer({ min: 1, max: 2 }),
  votes: fc.integer({ min: -3, max: 5 }),
});

test('no option ever has more votes than its bound, nor more in the window', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bounds = createVoteBounds();
      const votesOf = new Map<string, number>();
      const windows = new Map([1, 2, 3, 5_000].map((pollNo) => [pollNo, createVoteWindow()]));
      let now = 1_700_000_000;
      for (const { passed, late, pollNo, optionNo, votes } of steps) {
        now += passed;
        const key = `${pollNo} ${optionNo}`;
        const sum = (votesOf.get(key) ?? 0) + votes;
        votesOf.set(key, sum);
        windows.get(pollNo)?.add(now - late, optionNo, votes);
        bounds.note(pollNo, sum);
        bounds.noteCast(pollNo, now - late, votes);
        for (const [no, window] of windows) {
          for (const option of [1, 2]) {
            // An option's votes of a window are at most all of its votes, as long as nobody takes back what was not cast.
            const inWindow = Math.min(window.totalOf(now, option), votesOf.get(`${no} ${option}`) ?? 0);
            expect(inWindow).toBeLessThanOrEqual(bounds.mostInWindow(no, now));
            expect(votesOf.get(`${no} ${option}`) ?? 0).toBeLessThanOrEqual(bounds.most(no));
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('the bound of a window falls when nobody votes any more', () => {
  const bounds = createVoteBounds();
  bounds.note(1, 7);
  bounds.noteCast(1, 9_000, 7);
  expect([bounds.most(1), bounds.mostInWindow(1, 9_599)]).toEqual([7, 7]);
  expect([bounds.most(1), bounds.mostInWindow(1, 10_800)]).toEqual([7, 0]);
  expect([bounds.most(2), bounds.mostInWindow(2, 10_800)]).toEqual([0, 0]);
});
