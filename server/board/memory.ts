/** The tally board in this process's memory. */
import { createRecentSet, type RecentSet } from '../lib/recent-set.ts';
import { createVoteWindow, type VoteWindow } from '../tally/vote-window.ts';
import type { TallyChange, TallyDelta } from '../tally/tally-change.ts';
import type { LedgerState } from '../tally/ledger-state.ts';
import type { PollTally, TallyBoard } from './tally-board.ts';

type Entry = { version: number; ballots: number; readonly votes: number[]; readonly window: VoteWindow };
type BoardState = {
  readonly entries: Map<number, Entry>;
  readonly batchNoBySlot: Map<number, number>;
  /** The numbers of polls that were deleted: nothing of them is taken in. */
  readonly dropped: RecentSet<number>;
};

/** No delta and no reading is on its way for so long that more polls are deleted meanwhile. */
const droppedMax = 10_000;

export function createMemoryBoard(readLedger: () => Promise<LedgerState>): TallyBoard {
  const dropped = createRecentSet<number>(droppedMax);
  let state: BoardState = { entries: new Map(), batchNoBySlot: new Map(), dropped };
  let foldedWhileLoading: TallyDelta[] | null = null;
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  async function reload(): Promise<void> {
    const kept: TallyDelta[] = [];
    foldedWhileLoading = kept;
    try {
      const loaded = toState(await readLedger(), dropped);
      for (const delta of kept) foldInto(loaded, delta);
      state = loaded;
    } finally {
      foldedWhileLoading = null;
      // Where another reading is asked for, it begins next: until then it stays the one to wait for.
      if (following === null) running = null;
    }
  }

  function start(): Promise<void> {
    following = null;
    running = reload();
    return running;
  }

  return {
    fold(delta) {
      foldedWhileLoading?.push(delta);
      return foldInto(state, delta);
    },
    load() {
      if (running === null) return start();
      // The reading under way may have begun before what the caller wants to see: one that begins after it serves them all.
      following ??= running.then(start, start);
      return following;
    },
    read: (pollNo, nowMs) => toTally(state.entries.get(pollNo), Math.floor(nowMs / 1000)),
    versionOf: (pollNo) => state.entries.get(pollNo)?.version ?? 0,
    batchNoOf: (slot) => state.batchNoBySlot.get(slot) ?? 0,
    drop(pollNo) {
      dropped.add(pollNo);
      state.entries.delete(pollNo);
    },
  };
}

function foldInto(state: BoardState, delta: TallyDelta): 'folded' | 'repeat' | 'gap' {
  const known = state.batchNoBySlot.get(delta.slot) ?? 0;
  const firstBatchNo = delta.batchNo - (delta.batchCount ?? 1) + 1;
  if (delta.batchNo <= known) return 'repeat';
  // Part of it is here already, and sums cannot be taken apart.
  if (firstBatchNo <= known) return 'gap';
  state.batchNoBySlot.set(delta.slot, delta.batchNo);
  for (const change of delta.changes) {
    if (!state.dropped.has(change.pollNo)) applyChange(entryOf(state, change.pollNo), change);
  }
  return firstBatchNo === known + 1 ? 'folded' : 'gap';
}

function applyChange(entry: Entry, change: TallyChange): void {
  entry.ballots += change.ballots;
  entry.version += change.changes;
  if (change.optionNo === 0) return;
  entry.votes[change.optionNo] = (entry.votes[change.optionNo] ?? 0) + change.votes;
  entry.window.add(change.second, change.optionNo, change.votes);
}

function entryOf(state: BoardState, pollNo: number): Entry {
  let entry = state.entries.get(pollNo);
  if (entry === undefined) {
    entry = { version: 0, ballots: 0, votes: [], window: createVoteWindow() };
    state.entries.set(pollNo, entry);
  }
  return entry;
}

function toState(ledger: LedgerState, dropped: RecentSet<number>): BoardState {
  const state: BoardState = { entries: new Map(), batchNoBySlot: new Map(ledger.batchNoBySlot), dropped };
  for (const row of ledger.tallies) {
    const entry = entryOf(state, row.pollNo);
    entry.ballots += row.ballots;
    entry.version += row.changes;
    if (row.optionNo > 0) entry.votes[row.optionNo] = row.votes;
  }
  for (const row of ledger.seconds) entryOf(state, row.pollNo).window.add(row.second, row.optionNo, row.votes);
  // Deleted while the ledger was being read.
  for (const pollNo of state.entries.keys()) if (dropped.has(pollNo)) state.entries.delete(pollNo);
  return state;
}

function toTally(entry: Entry | undefined, nowSecond: number): PollTally {
  return {
    version: entry?.version ?? 0,
    ballots: entry?.ballots ?? 0,
    votesOf: (optionNo) => entry?.votes[optionNo] ?? 0,
    lastTenMinutes: entry?.window.total(nowSecond) ?? 0,
    lastTenMinutesOf: (optionNo) => entry?.window.totalOf(nowSecond, optionNo) ?? 0,
    votesPerSecond: entry?.window.perSecond(nowSecond) ?? 0,
  };
}
