/**
 * The tally board answers every read of a tally. It is folded from the deltas of committed batches and can always be rebuilt
 * from the ledger, which stays the truth.
 *
 * Order and repeats: a delta carries its slot's batch number. A delta at or below the board's position for that slot is a repeat
 * and changes nothing. A delta that leaves a gap is folded, because what it says is true, and `fold` answers
 * `gap`: then somebody must `load` the board again. So it does for one that repeats some of its batches and brings others; that one is not folded. Deltas that arrive while a load is under way are kept and folded
 * onto the loaded state where it does not hold them yet.
 *
 * Loss: a board is lost with its process; `load` brings it back. Limits: one entry for each poll that is loaded.
 */
import type { TallyDelta } from '../tally/tally-change.ts';

export type PollTally = {
  /** Grows by one with every ballot counted or superseded. */
  readonly version: number;
  /** Counted ballots: with one ballot per voter, also the number of voters. */
  readonly ballots: number;
  readonly votesOf: (optionNo: number) => number;
  readonly lastTenMinutes: number;
  readonly lastTenMinutesOf: (optionNo: number) => number;
  readonly votesPerSecond: number;
};

/** All votes, or those of the last ten minutes. */
export type TallyWindow = 'all' | 'last_ten_minutes';

export type TallyBoard = {
  fold(delta: TallyDelta): 'folded' | 'repeat' | 'gap';
  /** Brings everything up to a state that the ledger held after this call. Calls that wait share one reading. */
  load(): Promise<void>;
  /** The tally at `nowMs` by the ledger's clock; of a poll without votes, all zero. */
  read(pollNo: number, nowMs: number): PollTally;
  /**
   * The votes by the number of the option, for those who look at very many; of one without votes 0 or nothing. It goes on changing: to be
   * read at once.
   */
  votesByOption(pollNo: number, window: TallyWindow, nowMs: number): readonly (number | undefined)[];
  /** No option of the poll has more votes. */
  votesMaxOf(pollNo: number, window: TallyWindow, nowMs: number): number;
  /** The numbers of all polls that have or had votes. */
  pollNos(): Iterable<number>;
  /** The version alone, for receipts. */
  versionOf(pollNo: number): number;
  /** The last batch of a slot that the board holds; 0 where it knows none. */
  batchNoOf(slot: number): number;
  /** The same of every slot that it knows. */
  batchNos(): ReadonlyMap<number, number>;
  /** Whether it holds every batch up to those numbers. After a gap it does not, until a `load` has brought what was missed. */
  isWhole(): boolean;
  /** Forgets a poll that was deleted, for good: deltas and readings that are still on their way do not bring it back. */
  drop(pollNo: number): void;
};
