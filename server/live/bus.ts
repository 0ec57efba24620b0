/**
 * The bus: how the server processes on one ledger tell each other what has changed, so that each can answer reads and feed its streams from memory.
 *
 * It carries hints, not truth: the ledger holds everything, and whoever misses a hint must be able to tell. So a delta names its slot and
 * its batches, and a process that finds a gap, or that has been without the bus, reads the ledger again. Order: the deltas of one slot come in order.
 * Repeats are harmless. Loss is possible and shows.
 */
import type { TallyDelta } from '../tally/tally-change.ts';

export type Bus = {
  /** Tells the other processes of a batch that this one has recorded and shown. Never waits. */
  tell(delta: TallyDelta): void;
  stop(): Promise<void>;
};

export type PollNews = { readonly pollNo: number; readonly revision: number | 'deleted' };

export type BusListener = {
  /** Batches of this process were told, several of a slot as one. */
  onTold?(delta: TallyDelta): void;
  /** A batch, or several in one, of another process. */
  onDelta(delta: TallyDelta): void;
  /** Another process has recorded more than the bus can carry. */
  onTooMuch(): void;
  /** A poll was made, changed or deleted, by whomever. */
  onPoll(news: PollNews): void;
  /** The bus is back after it was away: anything may have happened. */
  onBack(): void;
};
