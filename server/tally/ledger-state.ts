/** The tallies that the ledger keeps, as one reading of it. */

/** What the ledger holds at one moment: everything that a board is built from. */
export type LedgerState = {
  /** The number of the last batch of each slot that the sums below contain. */
  readonly batchNoBySlot: ReadonlyMap<number, number>;
  readonly tallies: readonly StoredTally[];
  /** Votes of the last ten minutes, by second. */
  readonly seconds: readonly StoredSecond[];
};
export type StoredTally = { pollNo: number; optionNo: number; votes: number; ballots: number; changes: number };
export type StoredSecond = { pollNo: number; optionNo: number; second: number; votes: number };
