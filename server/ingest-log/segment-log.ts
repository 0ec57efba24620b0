/**
 * A segment log is a broker that carries segments from the processes that accept ballots to those that record them. A segment is
 * the bytes of all ballots that arrived while the last acknowledgement was under way (`segment.ts`); the broker does not look inside.
 *
 * - Acknowledgement: `append` resolves when the broker has the segment durably, by the settings that `checkDurability` asks for.
 * - Order: none is promised. A ballot carries the order of its acceptance.
 * - Repeats: at least once. A consumer that dies, loses its connection or is slow sees to it that its segments come again, here or
 *   to another consumer; whatever follows must bear that.
 * - Loss: none after the acknowledgement. A segment leaves the log only after a consumer has acknowledged it.
 * - Limits: one segment has at most `segmentBytesMax` bytes. A full broker refuses (`ingest_log_full`), it never drops.
 * - A broker that is gone: `append` fails within `appendMsMax` and says whether the segment may be in the log. Consumers wait and go on
 *   by themselves when it is back. Nothing here ends the process.
 */

import type { Logger } from '../lib/logger.ts';

/** The longest that an append may take. Milliseconds. */
export const appendMsMax = 5_000;

/** What every adapter carries. */
export const segmentBytesMax = 900_000;

export type AppendFailureCode = 'ingest_log_full' | 'ingest_log_unavailable';

/** Why a segment was not acknowledged, and whether it is certain that the log does not have it. */
export class AppendFailed extends Error {
  readonly code: AppendFailureCode;
  readonly recorded: 'no' | 'unknown';

  constructor(code: AppendFailureCode, recorded: 'no' | 'unknown', cause?: unknown) {
    super('The segment was not acknowledged.', { cause });
    this.name = 'AppendFailed';
    this.code = code;
    this.recorded = recorded;
  }
}

/** A segment as it comes out of the log. */
export type Delivery = {
  readonly bytes: Buffer;
  /**
   * Says that every ballot of it has its final outcome in the ledger. The broker hears of it soon, not at once; until then the
   * segment may come again. May be called in any order, once for each delivery.
   */
  acknowledge(): void;
};

export type Consumption = {
  /** No more deliveries come. Resolves when the broker has every acknowledgement given so far; the other deliveries come again elsewhere. */
  stop(): Promise<void>;
};

export type LogLength = {
  /** Segments that no consumer has acknowledged. Where `countsInHand` is false, only those that no consumer has been given. */
  readonly segments: number;
  /** How many processes consume, of all; null where the broker does not tell. */
  readonly consumers: number | null;
};

export type DeadLetter = {
  /** Names the letter within this log. */
  readonly id: string;
  readonly bytes: Buffer;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly diedAt: number;
};

/** Segments that could not be recorded however often it was tried. They are kept until somebody replays them. */
export type DeadLetters = {
  /** Resolves when the broker has the letter durably. @throws {AppendFailed} */
  bury(bytes: Buffer, reason: string): Promise<void>;
  count(): Promise<number>;
  /** The oldest first, at most `limit`. */
  list(limit: number): Promise<DeadLetter[]>;
  /** Appends every letter to the log again, then takes it off this list; answers how many. A crash in between repeats, never loses. */
  replay(): Promise<number>;
};

export type SegmentLog = {
  readonly name: 'redis' | 'rabbitmq' | 'kafka';
  /** How many appends under way at the same time serve it best. */
  readonly appendsMax: number;
  /** Whether `measure` also counts what consumers were given and have not acknowledged. */
  readonly countsInHand: boolean;
  /**
   * Reads the settings of the broker and refuses those that may lose what it has acknowledged.
   * @throws {Error} one line that names the setting and the remedy
   */
  checkDurability(): Promise<void>;
  /** @throws {AppendFailed} within `appendMsMax` */
  append(segment: Buffer): Promise<void>;
  /**
   * Hands over segments until it is stopped, several at a time: at most `deliveriesMax` that are not acknowledged. A connection that is lost
   * is opened again.
   */
  consume(onDelivery: (delivery: Delivery) => void, deliveriesMax: number): Promise<Consumption>;
  /** @throws {Error} where the broker does not answer */
  measure(): Promise<LogLength>;
  readonly dead: DeadLetters;
  /** For how long the broker has not answered, in milliseconds; 0 while it does. */
  awayMs(): number;
  /** Why it is away, where it needs somebody to change a setting: one sentence for everybody, without hosts, names or secrets. */
  awayReason?(): string | null;
  close(): Promise<void>;
};

/** What every adapter is made with. `create…` connects, makes what is missing at the broker (topology), and fails in one line if it cannot. */
export type SegmentLogOptions = {
  readonly log: Logger;
  /** The stream, queue or topic. */
  readonly queueName: string;
};
