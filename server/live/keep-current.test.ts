import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryBoard } from '../board/memory.ts';
import { createPollDirectory } from '../ledger/poll-directory.ts';
import type { Poll } from '../poll/poll.ts';
import { makePoll } from '../poll/test-support.ts';
import type { LedgerState } from '../tally/ledger-state.ts';
import type { TallyDelta } from '../tally/tally-change.ts';
import { createKeepCurrent } from './keep-current.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const lookMs = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One batch of one vote for the first option of the first poll. */
const deltaOf = (batchNo: number): TallyDelta => ({
  slot: 1,
  batchNo,
  changes: [{ pollNo: 1, optionNo: 1, second: 0, votes: 1, ballots: 1, changes: 1 }],
});

const toState = (batchNo: number): LedgerState => ({
  batchNoBySlot: new Map([[1, batchNo]]),
  tallies: [{ pollNo: 1, optionNo: 1, votes: batchNo, ballots: batchNo, changes: batchNo }],
  seconds: [],
});

/** A process beside a ledger that has a poll and so many batches of a vote each, and that may be away. It ends with the test. */
function startSample() {
  const ledger = { batchCount: 0, poll: makePoll({ pollNo: 1 }), isAway: false, readMs: 0 };
  const read = async <Value>(value: Value): Promise<Value> => {
    if (ledger.isAway) throw new Error('The ledger is away.');
    if (ledger.readMs > 0) await new Promise((resolve) => setTimeout(resolve, ledger.readMs));
    return Promise.resolve(value);
  };
  const store = { find: () => read<Poll>(ledger.poll), listUnclosed: () => read<Poll[]>([ledger.poll]) };
  const board = createMemoryBoard(() => read(toState(ledger.batchCount)));
  const polls = createPollDirectory(store, Date.now);
  const current = createKeepCurrent({
    board,
    polls,
    pollStore: store,
    onDeleted: () => undefined,
    readSlots: () => read(new Map([[1, ledger.batchCount]])),
    log,
  });
  const stop = current.start();
  return {
    ledger,
    listener: current.listener,
    stop,
    votes: () => board.read(1, 0).votesOf(1),
    question: () => polls.byNo(1)?.question,
    looks: (count: number) => vi.advanceTimersByTimeAsync(count * lookMs),
  };
}

test('a batch of which nobody told is read, also where the ledger was away when that became known', async () => {
  const { ledger, listener, votes, looks, stop } = startSample();
  listener.onDelta(deltaOf(1));
  // The second batch was never told. The third shows it, at a moment when nothing can be read.
  ledger.batchCount = 3;
  ledger.isAway = true;
  listener.onDelta(deltaOf(3));
  await looks(5);
  expect(votes()).toBe(2);
  ledger.isAway = false;
  await looks(2);
  expect(votes()).toBe(3);
  stop();
});

test('a poll that could not be read when it had changed is read when the ledger is back', async () => {
  const { ledger, listener, question, looks, stop } = startSample();
  listener.onBack();
  await looks(1);
  ledger.isAway = true;
  for (const [revision, tell] of [
    [2, () => listener.onPoll({ pollNo: 1, revision: 2 })],
    [3, () => listener.onBack()],
  ] as const) {
    ledger.isAway = true;
    ledger.poll = { ...ledger.poll, revision, question: `Question ${revision}?` };
    tell();
    await looks(3);
    expect(question()).not.toBe(ledger.poll.question);
    ledger.isAway = false;
    await looks(2);
    expect(question()).toBe(ledger.poll.question);
  }
  stop();
});

test('a board that was read inside of what was told as one, twice, is read again until it has everything', async () => {
  const { ledger, listener, votes, looks, stop } = startSample();
  const tell = (batchNo: number, votes: number): void =>
    listener.onDelta({
      slot: 1,
      batchNo,
      batchCount: votes,
      changes: [{ pollNo: 1, optionNo: 1, second: 0, votes, ballots: votes, changes: votes }],
    });
  ledger.readMs = 100;
  ledger.batchCount = 6;
  listener.onTooMuch();
  await vi.advanceTimersByTimeAsync(50);
  // The fifth to the eighth batch as one, while the reading shows six. The gap has the board read once more.
  tell(8, 4);
  tell(9, 1);
  ledger.batchCount = 12;
  await vi.advanceTimersByTimeAsync(250);
  // This reading shows twelve. The board before it takes these for what comes next, so nobody sees a gap.
  tell(14, 5);
  tell(15, 1);
  ledger.batchCount = 15;
  await looks(5);
  expect(votes()).toBe(15);
  stop();
});
