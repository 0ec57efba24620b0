/** The tally board in this process's memory. */
import { createRecentSet, type RecentSet } from '../lib/recent-set.ts';
import { createVoteWindow, type VoteWindow } from '../tally/vote-window.ts';
import { createVoteBounds, type VoteBounds } from '../tally/vote-bounds.ts';
import type { TallyChange, TallyDelta } from '../tally/tally-change.ts';
import type { LedgerState, StoredSecond } from '../tally/ledger-state.ts';
import type { PollTally, TallyBoard } from './tally-board.ts';

type Entry = { version: number; ballots: number; readonly votes: number[]; readonly window: VoteWindow };
type BoardState = {
  readonly entries: Map<number, Entry>;
  readonly bounds: VoteBounds;
  readonly batchNoBySlot: Map<number, number>;
  /** Whether every batch up to those numbers is in. */
  isWhole: boolean;
  /** The numbers of polls that were deleted: nothing of them is taken in. */
  readonly dropped: RecentSet<number>;
};

/** No delta and no reading is on its way for so long that more polls are deleted meanwhile. */
const droppedMax = 10_000;
const noVotes: readonly number[] = [];

export function createMemoryBoard(readLedger: () => Promise<LedgerState>): TallyBoard {
  const dropped = createRecentSet<number>(droppedMax);
  let state: BoardState = {
    entries: new Map(),
    bounds: createVoteBounds(),
    batchNoBySlot: new Map(),
    isWhole: true,
    dropped,
  };
  let foldedWhileLoading: TallyDelta[] | null = null;
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  async function reload(): Promise<void> {
    const kept: TallyDelta[] = [];
    foldedWhileLoading = kept;
    try {
      const loaded = toState(await readLedger(), dropped);
      for (const delta of kept) foldInto(loaded, delta);
      // The reading may end inside of what was heard as one. Where the board has all of it already, it stays.
      if (loaded.isWhole || !isAhead(state, loaded)) state = loaded;
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
    votesByOption(pollNo, window, nowMs) {
      const entry = state.entries.get(pollNo);
      if (entry === undefined) return noVotes;
      return window === 'all' ? entry.votes : entry.window.totals(Math.floor(nowMs / 1000));
    },
    votesMaxOf: (pollNo, window, nowMs) =>
      window === 'all' ? state.bounds.most(pollNo) : state.bounds.mostInWindow(pollNo, Math.floor(nowMs / 1000)),
    pollNos: () => state.entries.keys(),
    versionOf: (pollNo) => state.entries.get(pollNo)?.version ?? 0,
    batchNos: () => state.batchNoBySlot,
    isWhole: () => state.isWhole,
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
  if (firstBatchNo <= known) {
    state.isWhole = false;
    return 'gap';
  }
  state.batchNoBySlot.set(delta.slot, delta.batchNo);
  for (const change of delta.changes) {
    if (!state.dropped.has(change.pollNo)) applyChange(state, change);
  }
  if (firstBatchNo === known + 1) return 'folded';
  state.isWhole = false;
  return 'gap';
}

/** Whether the one has all that it names, and names all that the other does. */
function isAhead({ isWhole, batchNoBySlot }: BoardState, other: BoardState): boolean {
  return isWhole && [...other.batchNoBySlot].every(([slot, batchNo]) => (batchNoBySlot.get(slot) ?? 0) >= batchNo);
}

function applyChange(state: BoardState, { pollNo, optionNo, second, votes, ballots, changes }: TallyChange): void {
  const entry = entryOf(state, pollNo);
  entry.ballots += ballots;
  entry.version += changes;
  if (optionNo === 0) return;
  setVotes(state, pollNo, optionNo, (entry.votes[optionNo] ?? 0) + votes);
  addToWindow(state, { pollNo, optionNo, second, votes });
}

function setVotes(state: BoardState, pollNo: number, optionNo: number, votes: number): void {
  entryOf(state, pollNo).votes[optionNo] = votes;
  state.bounds.note(pollNo, votes);
}

function addToWindow(state: BoardState, { pollNo, optionNo, second, votes }: StoredSecond): void {
  entryOf(state, pollNo).window.add(second, optionNo, votes);
  state.bounds.noteCast(pollNo, second, votes);
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
  const state: BoardState = {
    entries: new Map(),
    bounds: createVoteBounds(),
    batchNoBySlot: new Map(ledger.batchNoBySlot),
    isWhole: true,
    dropped,
  };
  for (const row of ledger.tallies) {
    const entry = entryOf(state, row.pollNo);
    entry.ballots += row.ballots;
    entry.version += row.changes;
    if (row.optionNo > 0) setVotes(state, row.pollNo, row.optionNo, row.votes);
  }
  for (const row of ledger.seconds) addToWindow(state, row);
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
