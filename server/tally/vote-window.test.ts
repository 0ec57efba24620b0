import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVoteWindow, rateSeconds, windowSeconds } from './vote-window.ts';

const start = 1_700_000_000;

test('a vote is inside for six hundred seconds and leaves without another vote', () => {
  const window = createVoteWindow();
  window.add(start, 1, 3);
  expect(window.total(start)).toBe(3);
  expect(window.total(start + windowSeconds - 1)).toBe(3);
  expect(window.total(start + windowSeconds)).toBe(0);
  expect(window.totalOf(start + windowSeconds, 1)).toBe(0);
});

test('a vote that is taken back leaves the second in which it was cast', () => {
  const window = createVoteWindow();
  window.add(start, 1, 2);
  window.add(start + 100, 2, 1);
  window.add(start, 1, -1);
  expect([window.totalOf(start + 100, 1), window.totalOf(start + 100, 2)]).toEqual([1, 1]);
  expect(window.total(start + windowSeconds)).toBe(1);
});

test('a vote that aged out and is taken back afterwards changes nothing', () => {
  const window = createVoteWindow();
  window.add(start, 1, 1);
  expect(window.total(start + windowSeconds)).toBe(0);
  window.add(start, 1, -1);
  expect(window.total(start + windowSeconds)).toBe(0);
  window.add(start + windowSeconds, 2, 1);
  window.add(start, 1, -1);
  expect([window.total(start + windowSeconds), window.totalOf(start + windowSeconds, 1)]).toEqual([1, 0]);
});

test('votes per second are the mean of the whole seconds before this one', () => {
  const window = createVoteWindow();
  window.add(start, 1, 100);
  expect(window.perSecond(start)).toBe(0);
  expect(window.perSecond(start + 1)).toBe(10);
  expect(window.perSecond(start + rateSeconds)).toBe(10);
  expect(window.perSecond(start + rateSeconds + 1)).toBe(0);
});

type Vote = { readonly second: number; readonly optionNo: number; readonly votes: number };

/** Time goes on by some seconds, then some votes come: new ones, late ones, and some that are taken back. */
const step = fc.record({
  passed: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 700 })),
  votes: fc.array(
    fc.record({
      age: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 700 }) }),
      optionNo: fc.integer({ min: 1, max: 3 }),
      votes: fc.integer({ min: 1, max: 5 }),
      takenBack: fc.boolean(),
    }),
    { maxLength: 6 },
  ),
});

test('at every moment the window equals a naive recount', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const window = createVoteWindow();
      const cast: Vote[] = [];
      let now = start;
      for (const { passed, votes } of steps) {
        now += passed;
        for (const { age, optionNo, votes: count, takenBack } of votes) {
          const second = now - age;
          cast.push({ second, optionNo, votes: count });
          window.add(second, optionNo, count);
          if (!takenBack) continue;
          cast.push({ second, optionNo, votes: -1 });
          window.add(second, optionNo, -1);
        }
        expect(read(window, now)).toEqual(recount(cast, now));
      }
      for (const later of [1, 599, 600, 601]) expect(read(window, now + later)).toEqual(recount(cast, now + later));
    }),
    { numRuns: 100 },
  );
});

/** Read in an order in which each reading must be right by itself. */
function read(window: ReturnType<typeof createVoteWindow>, now: number): number[] {
  return [window.perSecond(now), ...[1, 2, 3].map((optionNo) => window.totalOf(now, optionNo)), window.total(now)];
}

function recount(cast: readonly Vote[], now: number): number[] {
  const count = (keep: (vote: Vote) => boolean): number => cast.filter(keep).reduce((sum, { votes }) => sum + votes, 0);
  const inside = ({ second }: Vote): boolean => second > now - 600;
  return [
    count(({ second }) => second >= now - 10 && second < now) / 10,
    ...[1, 2, 3].map((optionNo) => count((vote) => inside(vote) && vote.optionNo === optionNo)),
    count(inside),
  ];
}
