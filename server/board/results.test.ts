import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';
import { createMemoryBoard } from './memory.ts';
import { createResults } from './results.ts';

const now = 1_700_000_000_000;

/** Results over polls in which option n of poll p has the votes that the table says. */
function createSample(polls: readonly Poll[], votes: Readonly<Record<number, readonly number[]>> = {}) {
  const board = createMemoryBoard(() => Promise.reject(new Error('nobody reads the ledger here')));
  const second = Math.floor(now / 1000);
  for (const [pollNo, counts] of Object.entries(votes)) {
    const changes = counts.map((count, index) => ({
      pollNo: Number(pollNo),
      optionNo: index + 1,
      second,
      votes: count,
      ballots: count,
      changes: count,
    }));
    board.fold({ slot: Number(pollNo), batchNo: 1, changes });
  }
  const clock = { now, settledThrough: now };
  const results = createResults({
    epoch: 'epoch',
    board,
    now: () => clock.now,
    settledThrough: () => clock.settledThrough,
    polls: { all: () => polls, byNo: (pollNo) => polls.find((poll) => poll.pollNo === pollNo) },
  });
  return { results, clock };
}

test('a hidden tally is none, and its manager sees it', () => {
  const poll = makePoll({ visibility: 'after_close', closesAt: now + 10 });
  const { results, clock } = createSample([poll], { 1: [3] });
  expect(results.tallyOf(poll, anyone)).toBeNull();
  expect(results.tallyOf(poll, { manager: true, voted: false })?.votesOf(1)).toBe(3);
  clock.now = now + 10;
  clock.settledThrough = now + 9;
  expect([results.statusOf(poll), results.tallyOf(poll, anyone)]).toEqual(['closing', null]);
  clock.settledThrough = now + 10;
  expect([results.statusOf(poll), results.tallyOf(poll, anyone)?.votesOf(1)]).toEqual(['closed', 3]);
});

test('the leaders are options of polls that are listed, open and visible to anybody', () => {
  const polls = [
    makePoll({ pollNo: 1 }),
    makePoll({ pollNo: 2, listed: false }),
    makePoll({ pollNo: 3, visibility: 'after_vote' }),
    makePoll({ pollNo: 4, closesAt: now }),
    makePoll({ pollNo: 5, opensAt: now + 1 }),
    makePoll({ pollNo: 6, pausedAt: now }),
    makePoll({ pollNo: 7 }),
  ];
  const votes = Object.fromEntries(polls.map(({ pollNo }) => [pollNo, [pollNo, 1, 0]]));
  const { results } = createSample(polls, votes);
  const shown = results.leaders('all', 4).map(({ poll, option, votes: count }) => [poll.pollNo, option.id, count]);
  expect(shown).toEqual([
    [7, '1', 7],
    [1, '1', 1],
    [1, '2', 1],
    [7, '2', 1],
  ]);
});

test('reads in quick succession share one leaderboard of each window, whatever their length', () => {
  const { results, clock } = createSample([makePoll()], { 1: [5, 2, 1] });
  const time = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const first = results.leaders('last_ten_minutes', 2);
  expect(first.map(({ votes }) => votes)).toEqual([5, 2]);
  expect(results.leaders('all', 1).map(({ votes }) => votes)).toEqual([5]);
  clock.now = now + 600_000;
  time.mockReturnValue(1_099);
  expect(results.leaders('last_ten_minutes', 2)).toEqual(first);
  expect(results.leaders('last_ten_minutes', 3).map(({ votes }) => votes)).toEqual([5, 2, 1]);
  time.mockReturnValue(1_100);
  expect(results.leaders('last_ten_minutes', 2).map(({ votes }) => votes)).toEqual([0, 0]);
  expect(results.leaders('all', 1).map(({ votes }) => votes)).toEqual([5]);
  time.mockRestore();
});

const step = fc.record({
  passedSeconds: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 900 })),
  votes: fc.array(
    fc.record({
      pollNo: fc.integer({ min: 1, max: 12 }),
      optionNo: fc.integer({ min: 1, max: 3 }),
      votes: fc.integer({ min: 1, max: 4 }),
      takenBack: fc.boolean(),
    }),
    { maxLength: 8 },
  ),
});

test('whatever was voted and taken back and has aged, the leaders are those with the most votes of all options', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const polls = Array.from({ length: 12 }, (_, index) => makePoll({ pollNo: 12 - index, listed: index !== 4 }));
      const board = createMemoryBoard(() => Promise.reject(new Error('nobody reads the ledger here')));
      const clock = { now };
      const results = createResults({
        epoch: 'epoch',
        board,
        now: () => clock.now,
        settledThrough: () => clock.now,
        polls: { all: () => polls, byNo: (pollNo) => polls.find((poll) => poll.pollNo === pollNo) },
      });
      const time = vi.spyOn(performance, 'now');
      for (const [index, { passedSeconds, votes }] of steps.entries()) {
        clock.now += passedSeconds * 1_000;
        const second = Math.floor(clock.now / 1_000);
        const changes = votes.flatMap(({ takenBack, ...vote }) => {
          const cast = { ...vote, second, ballots: vote.votes, changes: vote.votes };
          return takenBack ? [cast, { ...cast, votes: -1, ballots: -1, changes: 0 }] : [cast];
        });
        board.fold({ slot: 1, batchNo: index + 1, changes });
        // What was kept before is too old.
        time.mockReturnValue((index + 1) * 1_000);
        for (const window of ['all', 'last_ten_minutes'] as const) {
          const all: [pollNo: number, optionNo: number, votes: number][] = [];
          results.eachStanding(window, (poll, optionNo, count) => all.push([poll.pollNo, optionNo, count]));
          all.sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]);
          for (const limit of [1, 5, 120]) {
            const leaders = results.leaders(window, limit);
            expect(leaders.map(({ poll, option, votes: count }) => [poll.pollNo, option.optionNo, count])).toEqual(
              all.slice(0, limit),
            );
          }
        }
      }
      time.mockRestore();
    }),
    { numRuns: 100 },
  );
});
