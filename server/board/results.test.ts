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

test('reads in quick succession share one leaderboard, each window and length its own', () => {
  const { results, clock } = createSample([makePoll()], { 1: [5, 2, 1] });
  const time = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const first = results.leaders('last_ten_minutes', 2);
  expect(first.map(({ votes }) => votes)).toEqual([5, 2]);
  expect(results.leaders('all', 1).map(({ votes }) => votes)).toEqual([5]);
  clock.now = now + 600_000;
  time.mockReturnValue(1_099);
  expect(results.leaders('last_ten_minutes', 2)).toBe(first);
  time.mockReturnValue(1_100);
  expect(results.leaders('last_ten_minutes', 2).map(({ votes }) => votes)).toEqual([0, 0]);
  expect(results.leaders('all', 1).map(({ votes }) => votes)).toEqual([5]);
  time.mockRestore();
});
