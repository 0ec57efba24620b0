/**
 * The recorder writes whatever waits, in batches: the next batch starts when a lane is free and holds what has arrived
 * meanwhile, so batches grow with the load by themselves and no timer adds delay. It settles a ballot only after the
 * COMMIT of its batch.
 */
import type { TallyBoard } from '../board/tally-board.ts';
import type { Outcome, Recorder, Settle } from '../ingest-log/ingest-log.ts';
import type { BallotLane, BallotToRecord, BatchRecorded } from '../ledger/ballot-lane.ts';
import type { Logger } from '../lib/logger.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import { receiptShowsVersion } from '../poll/visibility.ts';
import { takeBatch, type Waiting } from './batch.ts';
import { countBatch } from './count-batch.ts';
import { recordUntilCertain, type BatchLost } from './record-until-certain.ts';

export type RecorderOptions = { readonly batchBallotsMax: number; readonly recoveryMsMax?: number };

export type RecorderParts = {
  readonly lanes: readonly BallotLane[];
  readonly board: TallyBoard;
  readonly now: () => number;
  readonly log: Logger;
};

type Queues = Readonly<Record<Revote, Waiting[]>>;

export function createRecorder({ lanes, board, now, log }: RecorderParts, options: RecorderOptions): Recorder {
  const queues: Queues = { refuse: [], replace: [] };
  const idleLanes = [...lanes];
  /** When each batch under way began, by the ledger's clock. */
  const batchStarts = new Map<BallotLane, number>();
  let startScheduled = false;
  let awaySince: number | null = null;

  function startIdleLanes(): void {
    startScheduled = false;
    while (idleLanes.length > 0 && nextRevote(queues) !== null) {
      const lane = idleLanes.pop();
      if (lane !== undefined) void work(lane);
    }
  }

  /** One lane's life: batches of whichever queue has waited longer, until nothing waits. */
  async function work(lane: BallotLane): Promise<void> {
    for (let revote = nextRevote(queues); revote !== null; revote = nextRevote(queues)) {
      const batch = takeBatch(queues[revote], revote, options.batchBallotsMax);
      batchStarts.set(lane, now());
      await recordBatch(lane, revote, batch);
      batchStarts.delete(lane);
    }
    idleLanes.push(lane);
  }

  async function recordBatch(lane: BallotLane, revote: Revote, batch: readonly Waiting[]): Promise<void> {
    const toRecord = batch.map(({ ballot }) => toBallotToRecord(ballot, board));
    const end = await recordUntilCertain(() => lane.record(revote, toRecord), {
      msMax: options.recoveryMsMax,
      onFailure: (error, inDoubt) => {
        awaySince ??= performance.now();
        log.warn({ err: error, ballots: batch.length, inDoubt }, 'batch failed');
      },
    });
    if (end.kind === 'lost') return failAll(batch, end);
    awaySince = null;
    await showOnBoard(batch, end.recorded, end.inDoubt);
    for (const [index, { settle }] of batch.entries())
      settle(toOutcome(end.recorded, index, toRecord[index]?.version ?? null));
  }

  /** Brings the board up to the batch before anybody hears of it, so no read is older than a receipt. */
  async function showOnBoard(batch: readonly Waiting[], recorded: BatchRecorded, inDoubt: boolean): Promise<void> {
    const folded = board.fold(countBatch(batch, recorded));
    // An attempt in doubt may have counted these ballots in a batch that this process never heard of.
    if (inDoubt || folded === 'gap') await board.load();
  }

  function failAll(batch: readonly Waiting[], { inDoubt, cause }: BatchLost): void {
    const failed = { kind: 'failed', code: 'ledger_unavailable', cause } as const;
    for (const { settle } of batch) settle({ ...failed, recorded: inDoubt ? 'unknown' : 'no' });
    // What waits behind the batch was never sent, and has waited long enough.
    for (const queue of [queues.refuse, queues.replace]) {
      for (const { settle } of queue.splice(0)) settle({ ...failed, recorded: 'no' });
    }
  }

  return {
    record(ballot: Ballot, settle: Settle) {
      queues[ballot.poll.revote].push({ ballot, settle });
      if (startScheduled) return;
      // After the events that are ready now: the ballots that they bring share the batch.
      startScheduled = true;
      setImmediate(startIdleLanes);
    },
    awayMs: () => (awaySince === null ? 0 : performance.now() - awaySince),
    settledThrough: () => Math.min(now(), ...batchStarts.values()),
  };
}

function toBallotToRecord(ballot: Ballot, board: TallyBoard): BallotToRecord {
  const { pollNo, visibility } = ballot.poll;
  return { ballot, version: receiptShowsVersion(visibility) ? board.versionOf(pollNo) + 1 : null };
}

/** The queue whose first ballot was accepted earlier; null when nothing waits. */
function nextRevote(queues: Queues): Revote | null {
  const refuse = queues.refuse[0];
  const replace = queues.replace[0];
  if (refuse === undefined) return replace === undefined ? null : 'replace';
  if (replace === undefined) return 'refuse';
  return Buffer.compare(refuse.ballot.id, replace.ballot.id) < 0 ? 'refuse' : 'replace';
}

function toOutcome(recorded: BatchRecorded, index: number, version: number | null): Outcome {
  const verdict = recorded.verdicts.get(index);
  if (verdict?.kind === 'not_taken') return verdict;
  if (verdict?.kind !== 'stands') return { kind: 'counted', castAt: recorded.castAt, version };
  const { ballotId, castAt, retryKey, selections } = verdict;
  return { kind: 'stands', standing: { ballotId, castAt, version: verdict.version }, retryKey, selections };
}
