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
import type { TallyBoard } from '../board/tally-board.ts';
import type { Recorder, Settle } from '../ingest-log/ingest-log.ts';
import type { BallotLane } from '../ledger/ballot-lane.ts';
import type { Logger } from '../lib/logger.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import type { TallyDelta } from '../tally/tally-change.ts';
import { takeBatch, type Waiting } from './batch.ts';
import { createLaneDuty, settleAll, toUnavailable, type OnStep } from './lane-duty.ts';
import { createAbsence } from '../lib/absence.ts';

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
  /** Hears of every batch that was recorded, after the board. */
  readonly onCounted?: (delta: TallyDelta) => void;
  /** Hears of every batch when it is certain what became of it, and how long that took. */
  readonly onBatch?: (ballots: number, ms: number) => void;
  readonly onStep?: OnStep;
  readonly now: () => number;
  readonly log: Logger;
};

type Queues = Readonly<Record<Revote, Waiting[]>>;

export function createRecorder(
  { lanes, board, onCounted = ignore, onBatch = ignore, onStep = ignore, now, log }: RecorderParts,
  options: RecorderOptions,
): Recorder {
  const { batchBallotsMax, recoveryMsMax = 5_000, recoveryPauseMs = 100 } = options;
  const queues: Queues = { refuse: [], replace: [] };
  const idleLanes = [...lanes];
  /** When each batch under way began, by the ledger's clock. */
  const batchStarts = new Map<BallotLane, number>();
  const absence = createAbsence();
  const duty = createLaneDuty({ board, onCounted, onStep, absence, log, recoveryMsMax, recoveryPauseMs });
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
      const begunAt = performance.now();
      const end = await duty.record(lane, revote, batch);
      onBatch(batch.length, performance.now() - begunAt);
      batchStarts.delete(lane);
      // What waits behind a lost batch was never sent, and has waited long enough.
      if (end.kind === 'lost') failWaiting(end.cause);
      if (end.kind !== 'shown') await duty.awaitLedger(lane, () => stopped, failOverdue);
    }
    idleLanes.push(lane);
  }

  /** While nobody records, those who wait get their answer when they have waited as long as a batch would. */
  function failOverdue(cause: unknown): void {
    if (absence.ms() >= recoveryMsMax) failWaiting(cause);
  }

  function failWaiting(cause: unknown): void {
    const waiting = [...queues.refuse.splice(0), ...queues.replace.splice(0)];
    settleAll(waiting, () => toUnavailable('no', cause), log);
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

function ignore(): void {
  // Nobody wants to know.
}

/** The queue whose first ballot was accepted earlier; null when nothing waits. */
function nextRevote(queues: Queues): Revote | null {
  const refuse = queues.refuse[0];
  const replace = queues.replace[0];
  if (refuse === undefined) return replace === undefined ? null : 'replace';
  if (replace === undefined) return 'refuse';
  return Buffer.compare(refuse.ballot.id, replace.ballot.id) < 0 ? 'refuse' : 'replace';
}
