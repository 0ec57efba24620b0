/**
 * The recorder writes whatever waits, in batches: the next batch starts when a lane is free and holds what has arrived
 * meanwhile, so batches grow with the load by themselves and no timer adds delay. It settles a ballot only after the
 * COMMIT of its batch.
 *
 * A lane is in one of three states.
 *
 * `idle`: nothing waits for it.
 *
 * `recording`: it records batch after batch. A batch that fails is tried again until it is certain what became of it, or until
 * the ledger has been away too long; then it is given up together with what waits.
 *
 * `returning`: it has given up a batch, or could not bring the board up to one. It asks the ledger until that answers, because
 * ballots that are refused meanwhile cannot show that the ledger is back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TallyBoard } from '../board/tally-board.ts';
import type { Outcome, Recorder, Settle } from '../ingest-log/ingest-log.ts';
import type { BallotLane, BallotToRecord, BatchRecorded } from '../ledger/ballot-lane.ts';
import type { Logger } from '../lib/logger.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import { receiptShowsVersion } from '../poll/visibility.ts';
import { takeBatch, type Waiting } from './batch.ts';
import { countBatch } from './count-batch.ts';
import { createLedgerAbsence } from './ledger-absence.ts';
import { recordUntilCertain } from './record-until-certain.ts';

export type RecorderOptions = {
  readonly batchBallotsMax: number;
  /** How long a failed batch is tried again, and for how long ballots wait for a ledger that is away. */
  readonly recoveryMsMax?: number;
  /** Between two attempts. */
  readonly recoveryPauseMs?: number;
};

export type RecorderParts = {
  readonly lanes: readonly BallotLane[];
  readonly board: TallyBoard;
  readonly now: () => number;
  readonly log: Logger;
};

type Queues = Readonly<Record<Revote, Waiting[]>>;
type Failed = Extract<Outcome, { kind: 'failed' }>;

export function createRecorder({ lanes, board, now, log }: RecorderParts, options: RecorderOptions): Recorder {
  const { batchBallotsMax, recoveryMsMax = 5_000, recoveryPauseMs = 100 } = options;
  const queues: Queues = { refuse: [], replace: [] };
  const idleLanes = [...lanes];
  /** When each batch under way began, by the ledger's clock. */
  const batchStarts = new Map<BallotLane, number>();
  const absence = createLedgerAbsence();
  let startScheduled = false;
  let stopped = false;

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
      const batch = takeBatch(queues[revote], revote, batchBallotsMax);
      batchStarts.set(lane, now());
      const atHome = await recordBatch(lane, revote, batch);
      batchStarts.delete(lane);
      if (!atHome) await returnToLedger(lane);
    }
    idleLanes.push(lane);
  }

  /** Settles every ballot of the batch. Answers whether the ledger answered to the end. */
  async function recordBatch(lane: BallotLane, revote: Revote, batch: readonly Waiting[]): Promise<boolean> {
    const toRecord = batch.map(({ ballot }) => toBallotToRecord(ballot, board));
    const end = await recordUntilCertain(() => lane.record(revote, toRecord), {
      msMax: recoveryMsMax,
      pauseMs: recoveryPauseMs,
      onFailure: (error, inDoubt) => {
        absence.begin();
        log.warn({ err: error, ballots: batch.length, inDoubt }, 'batch failed');
      },
    });
    if (end.kind === 'lost') {
      settleAll(batch, () => toFailed(end.inDoubt ? 'unknown' : 'no', end.cause), log);
      // What waits behind the batch was never sent, and has waited long enough.
      failWaiting(end.cause);
      return false;
    }
    absence.end();
    const shown = await showOnBoard(batch, end.recorded, end.inDoubt);
    settleAll(batch, (index) => toOutcome(end.recorded, index, toRecord[index]?.version ?? null), log);
    return shown;
  }

  /**
   * Brings the board up to the batch before anybody hears of it, so no read is older than a receipt. Only when the ledger
   * goes away again at this very moment do the receipts come first: what they say is true already.
   */
  async function showOnBoard(batch: readonly Waiting[], recorded: BatchRecorded, inDoubt: boolean): Promise<boolean> {
    const folded = board.fold(countBatch(batch, recorded));
    // An attempt in doubt may have counted these ballots in a batch that this process never heard of.
    if (!inDoubt && folded !== 'gap') return true;
    try {
      await board.load();
      return true;
    } catch (error) {
      absence.begin();
      log.warn({ err: error }, 'board not loaded');
      return false;
    }
  }

  /** An empty batch asks on the very path that the ballots take. A batch in doubt may be in the ledger, so the board is read anew. */
  async function returnToLedger(lane: BallotLane): Promise<void> {
    while (!stopped) {
      try {
        await lane.record('refuse', []);
        await board.load();
        absence.end();
        return;
      } catch (error) {
        absence.begin();
        if (absence.ms() >= recoveryMsMax) failWaiting(error);
        log.debug({ err: error }, 'ledger still away');
        await sleep(recoveryPauseMs, undefined, { ref: false });
      }
    }
  }

  function failWaiting(cause: unknown): void {
    const waiting = [...queues.refuse.splice(0), ...queues.replace.splice(0)];
    settleAll(waiting, () => toFailed('no', cause), log);
  }

  return {
    record(ballot: Ballot, settle: Settle) {
      queues[ballot.poll.revote].push({ ballot, settle });
      if (startScheduled) return;
      // After the events that are ready now: the ballots that they bring share the batch.
      startScheduled = true;
      setImmediate(startIdleLanes);
    },
    awayMs: absence.ms,
    settledThrough: () => Math.min(now(), ...batchStarts.values()),
    stop() {
      stopped = true;
    },
  };
}

/** One caller that fails must not keep the others from their answers. */
function settleAll(batch: readonly Waiting[], outcomeOf: (index: number) => Outcome, log: Logger): void {
  for (const [index, { settle }] of batch.entries()) {
    try {
      settle(outcomeOf(index));
    } catch (error) {
      log.error({ err: error }, 'answer not given');
    }
  }
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

function toFailed(recorded: Failed['recorded'], cause: unknown): Failed {
  return { kind: 'failed', code: 'ledger_unavailable', recorded, cause };
}

function toOutcome(recorded: BatchRecorded, index: number, version: number | null): Outcome {
  const verdict = recorded.verdicts.get(index);
  if (verdict?.kind === 'not_taken') return verdict;
  if (verdict?.kind !== 'stands') return { kind: 'counted', castAt: recorded.castAt, version };
  const { ballotId, castAt, retryKey, selections } = verdict;
  return { kind: 'stands', standing: { ballotId, castAt, version: verdict.version }, retryKey, selections };
}
