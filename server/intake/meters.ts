/** What this process has done with ballots since it started, in plain numbers: noting one allocates nothing. */
import { errors, type ErrorCode } from '../errors.ts';
import type { LogName } from '../ingest-log/ingest-log.ts';
import type { ReceiptKind } from './cast-ballot.ts';
import { createHistogram, type Histogram } from '../lib/histogram.ts';

export type BallotMeter = {
  /** A receipt was given: for a ballot in the ledger, for one in the log of a broker, or that of an earlier attempt again. */
  noteReceipt(kind: ReceiptKind): void;
  /** A worker brought them to the ledger. */
  noteCounted(count: number): void;
  /** It came out of the log again and was counted before. */
  noteRepeated(): void;
  /** Refused by a rule, or failed: the status of the code tells them apart. */
  noteRefused(code: ErrorCode): void;
  read(): BallotCount[];
};

export type BallotCount = {
  readonly outcome: 'counted' | 'received' | 'repeated' | 'refused' | 'failed';
  /** Why; empty where it was not refused. */
  readonly code: ErrorCode | '';
  readonly count: number;
};

export type Meters = {
  readonly logName: LogName;
  readonly ballots: BallotMeter;
  /** Ballots in a batch. */
  readonly batchBallots: Histogram;
  /** From the first attempt to record a batch until it is certain what became of it. */
  readonly batchSeconds: Histogram;
};

const batchBallotsBounds = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384];
const batchSecondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMeters(logName: LogName): Meters {
  return {
    logName,
    ballots: createBallotMeter(),
    batchBallots: createHistogram(batchBallotsBounds),
    batchSeconds: createHistogram(batchSecondsBounds),
  };
}

export function createBallotMeter(): BallotMeter {
  const refused = new Map<ErrorCode, number>();
  let counted = 0;
  let received = 0;
  let repeated = 0;
  return {
    noteReceipt(kind) {
      if (kind === 'counted') counted += 1;
      else if (kind === 'accepted') received += 1;
      else repeated += 1;
    },
    noteCounted(count) {
      counted += count;
    },
    noteRepeated() {
      repeated += 1;
    },
    noteRefused(code) {
      refused.set(code, (refused.get(code) ?? 0) + 1);
    },
    read: () => [
      { outcome: 'counted', code: '', count: counted },
      { outcome: 'received', code: '', count: received },
      { outcome: 'repeated', code: '', count: repeated },
      ...[...refused].map(([code, count]) => ({ outcome: toOutcome(code), code, count })),
    ],
  };
}

/** A fault of ours, or of what we depend on, is no refusal. */
function toOutcome(code: ErrorCode): 'refused' | 'failed' {
  return errors[code].status >= 500 ? 'failed' : 'refused';
}
