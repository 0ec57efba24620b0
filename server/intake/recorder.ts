/**
 * The recorder writes whatever waits, in batches: the next batch starts when a lane is free and holds what has arrived
 * meanwhile, so batches grow with the load by themselves and no timer adds delay. It settles a ballot only after the COMMIT
 * of its batch.
 *
 * A lane is idle, recording, or recovering. It recovers when its batch failed in doubt (the connection broke, the answer did not come):
 * the same batch is recorded again, which is harmless, because a ballot that is in the ledger already is found there by its id.
 * Only when that too fails for `recoveryMsMax` are the batch's ballots told `unknown`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TallyBoard } from '../board/tally-board.ts';
import type { Outcome, Recorder, Settle } from '../ingest-log/ingest-log.ts';
import type { BallotLane, BatchRecorded } from '../ledger/ballot-lane.ts';
import { BatchFailed } from '../ledger/batch-failure.ts';
import type { Logger } from '../lib/logger.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import { receiptShowsVersion } from '../poll/visibility.ts';
import { takeBatch, type Waiting } from './batch.ts';
import { countBatch } from './count-batch.ts';

export type RecorderOptions = { readonly batchBallotsMax: number };

/** How long a batch in doubt is tried again before its ballots are told `unknown`. */
const recoveryMsMax = 5_000;
const recoveryPauseMs = 100;

export type RecorderParts = {
  readonly lanes: readonly BallotLane[];
  readonly board: TallyBoard;
  readonly now: () => number;
  readonly log: Logger;
};

export function createRecorder({ lanes, board, now, log }: RecorderParts, options: RecorderOptions): Recorder {
  const queues: Readonly<Record<Revote, Waiting[]>> = { refuse: [], replace: [] };
  const idleLanes = [...lanes];
  /** When each batch under way began, by the ledger's clock. */
  const batchStarts = new Map<BallotLane, number>();
  let startScheduled = false;
  let awaySince: number | null = null;

  function startIdleLanes(): void {
    startScheduled = false;
    while (idleLanes.length > 0 && (queues.refuse.length > 0 || queues.replace.length > 0)) {
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
    const toRecord = batch.map(({ ballot }) => ({ ballot, version: versionFor(ballot) }));
    const deadline = performance.now() + recoveryMsMax;
    let inDoubt = false;
    for (;;) {
      try {
        const recorded = await lane.record(revote, toRecord);
        awaySince = null;
        await count(batch, recorded, inDoubt);
        for (const [index, waiting] of batch.entries()) {
          waiting.settle(toOutcome(recorded, index, toRecord[index]?.version ?? null));
        }
        return;
      } catch (error) {
        inDoubt ||= !(error instanceof BatchFailed) || error.recorded === 'unknown';
        log.warn({ err: error, ballots: batch.length, inDoubt }, 'batch failed');
        awaySince ??= performance.now();
        if (performance.now() >= deadline) {
          failBatch(batch, inDoubt, error);
          return;
        }
        await sleep(recoveryPauseMs);
      }
    }
  }

  /** Brings the board up to the batch before anybody hears of it, so no read is older than a receipt. */
  async function count(batch: readonly Waiting[], recorded: BatchRecorded, inDoubt: boolean): Promise<void> {
    const delta = countBatch(batch, recorded);
    const folded = board.fold(delta);
    // An attempt in doubt may have counted these ballots in a batch that this process never heard of.
    if (inDoubt || folded === 'gap') await board.load();
  }

  function failBatch(batch: readonly Waiting[], inDoubt: boolean, cause: unknown): void {
    const outcome: Outcome = { kind: 'failed', code: 'ledger_unavailable', recorded: inDoubt ? 'unknown' : 'no', cause };
    for (const waiting of batch) waiting.settle(outcome);
    // What waits behind the batch was never sent, and has waited long enough.
    for (const queue of [queues.refuse, queues.replace]) {
      for (const waiting of queue.splice(0)) {
        waiting.settle({ kind: 'failed', code: 'ledger_unavailable', recorded: 'no', cause });
      }
    }
  }

  function versionFor({ poll }: Ballot): number | null {
    return receiptShowsVersion(poll.visibility) ? board.versionOf(poll.pollNo) + 1 : null;
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

/** The queue whose first ballot was accepted earlier; null when nothing waits. */
function nextRevote(queues: Readonly<Record<Revote, Waiting[]>>): Revote | null {
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
