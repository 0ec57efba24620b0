/**
 * The ingest log is the buffer between accepting a ballot and counting it. It carries segments: all ballots that arrived while
 * the last acknowledgement was under way, each with its own id and its own outcome.
 *
 * - Acknowledgement: `append` settles when the log has the ballot durably. In the direct log that is the COMMIT of
 *   the ledger, so its outcome is final.
 * - Order: none is promised. A ballot's id carries the order of acceptance.
 * - Repeats: appending a ballot again (same id) records it once.
 * - Loss: none after the acknowledgement. An outcome `failed` says whether the ballot may be recorded all the same.
 * - Limits: at `ballotsWaitingMax` the log refuses at once; it never grows beyond it.
 */
import type { ErrorCode, Recorded } from '../errors.ts';
import type { Ballot } from '../poll/ballot.ts';

/** The ballot that a receipt speaks of. */
export type StandingBallot = {
  readonly ballotId: string;
  /** Milliseconds since 1970 by the ledger's clock. */
  readonly castAt: number;
  readonly version: number | null;
};

export type Outcome =
  | { readonly kind: 'counted'; readonly castAt: number; readonly version: number | null }
  /** Not recorded: this ballot of the voter (or with this retry key) stands already. Keys and selections as the ledger writes them. */
  | {
      readonly kind: 'stands';
      readonly standing: StandingBallot;
      readonly retryKey: string | null;
      readonly selections: string;
    }
  /** Not recorded: the poll took no ballot at that moment. */
  | { readonly kind: 'not_taken' }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly recorded: Exclude<Recorded, 'yes'>;
      readonly cause?: unknown;
    };

export type Settle = (outcome: Outcome) => void;

/** What stands at the far end of every log: it writes ballots to the ledger and settles each after its COMMIT. */
export type Recorder = {
  record(ballot: Ballot, settle: Settle): void;
  /** For how long the ledger has not answered, in milliseconds; 0 while it does. */
  awayMs(): number;
  settledThrough(): number;
  /** No more ballots will come: it no longer looks out for a ledger that is away. What was taken is still settled. */
  stop(): void;
};

export type IngestLog = {
  /** Takes one ballot; `settle` is called exactly once, never before `append` has returned. */
  append(ballot: Ballot, settle: Settle): void;
  /** Refuses new ballots and resolves when every ballot taken has its outcome. */
  drain(): Promise<void>;
  /**
   * The time (milliseconds, ledger's clock) up to which every accepted ballot is recorded: a poll that closed before it is final.
   */
  settledThrough(): number;
  /** Ballots taken and not settled. */
  waitingCount(): number;
};
