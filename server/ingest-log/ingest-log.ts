/**
 * The ingest log is the buffer between accepting a ballot and counting it. It carries segments: all ballots that arrived while
 * the last acknowledgement was under way, each with its own id and its own outcome.
 *
 * - Acknowledgement: `append` settles when the log has the ballot durably. In the direct log that is the COMMIT of
 *   the ledger, so its outcome is final (`acknowledges: 'outcome'`). The logs of brokers settle with `accepted` when the broker has the segment
 *   by its strictest settings; the outcome follows when a worker has recorded it (`acknowledges: 'acceptance'`).
 * - Delivery: at least once. A ballot comes to a recorder again when a worker dies before its acknowledgement, and counts once.
 * - Order: none is promised. A ballot carries the order of its acceptance, in its id or in `acceptedUs`.
 * - Repeats: appending a ballot again (same id) records it once.
 * - Loss: none after the acknowledgement. An outcome `failed` says whether the ballot may be recorded all the same.
 * - Limits: at `ballotsWaitingMax` the log refuses at once; it never grows beyond it. A broker's log refuses also beyond
 *   `segmentsWaitingMax` segments that no worker has recorded.
 * - A broker that is gone: within 5 s the outcome is `failed` with `recorded: "no"` where the segment never left, else
 *   `"unknown"`. While the connection is down it is "no" at once. Nothing hangs.
 * - Time: a broker's log takes a ballot only where its poll is open at the moment of acceptance, by the ledger's clock as the process knows it.
 *   Where that is not known to 50 ms, ballots so near to a close are refused.
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
  /** The log has it durably. What becomes of it is decided when it is recorded. `castAt` is the time of acceptance. */
  | { readonly kind: 'accepted'; readonly castAt: number }
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

export type LogName = 'direct' | 'redis' | 'rabbitmq' | 'kafka';

export type IngestLog = {
  readonly name: LogName;
  /** What `append` settles with when all is well. */
  readonly acknowledges: 'outcome' | 'acceptance';
  /** Whether what was acknowledged and not recorded is still there after a restart of this process. Of the direct log nothing is left. */
  readonly survivesRestart: boolean;
  /** Takes one ballot; `settle` is called exactly once, never before `append` has returned. */
  append(ballot: Ballot, settle: Settle): void;
  /** Refuses new ballots and resolves when every ballot taken was settled. */
  drain(): Promise<void>;
  /**
   * The time (milliseconds, ledger's clock) up to which every accepted ballot is recorded: a poll that closed before it is final.
   */
  settledThrough(): number;
  /** Ballots taken and not settled. */
  waitingCount(): number;
};
