/** The way of a ballot from its acceptance into the ledger: directly, or through a broker and a worker. */
import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import { createBallotIds } from './identity/ballot-ids.ts';
import { createDirectIngestLog } from './ingest-log/direct.ts';
import type { IngestLog, Recorder } from './ingest-log/ingest-log.ts';
import { createOutstanding } from './ingest-log/outstanding.ts';
import { createQueuedIngestLog } from './ingest-log/queued.ts';
import type { SegmentLog } from './ingest-log/segment-log.ts';
import type { Stamp } from './intake/cast-ballot.ts';
import { createFollowers } from './intake/followers.ts';
import type { Meters } from './intake/meters.ts';
import type { OnStep } from './intake/lane-duty.ts';
import { createRecorder } from './intake/recorder.ts';
import { createSegmentRecording } from './intake/segment-recording.ts';
import { createSettlement } from './intake/settlement.ts';
import { createWorker, type Worker } from './intake/worker.ts';
import { createBallotLane } from './ledger/ballot-lane.ts';
import { createBallotStore } from './ledger/ballots.ts';
import { createLogProgress } from './ledger/log-progress.ts';
import type { Known } from './known.ts';
import { createInsist } from './lib/insist.ts';
import type { Logger } from './lib/logger.ts';
import { createPreciseNow } from './lib/precise-now.ts';
import { createTickSource, toUuidV7 } from './lib/uuid-v7.ts';
import type { Ledger } from './open-ledger.ts';
import { openSegmentLog } from './open-log.ts';
import type { DrainStep } from './ops/drain.ts';

export type Intake = {
  readonly ingestLog: IngestLog;
  readonly stamp: Stamp;
  /** Whether a log of this installation may have the ballot with this id, though the ledger does not. */
  isOnItsWay(ballotId: Buffer): boolean;
  /** Whether a worker of this process has it in hand. */
  holds(ballotId: Buffer): boolean;
  /** How long ago the oldest ballot was accepted that has no outcome yet; 0 without one. Milliseconds. */
  lagMs(): number;
  /** For how long recording has failed here; 0 where this process does not record. Milliseconds. */
  recorderAwayMs(): number;
  /** For how long the broker has not answered; 0 without one. Milliseconds. */
  logAwayMs(): number;
  /** null without a broker. */
  readonly segments: Pick<SegmentLog, 'measure' | 'dead' | 'awayReason'> | null;
  /** The worker of this process; null without one. */
  readonly worker: Pick<Worker, 'inHandCount'> | null;
  start(): Promise<void>;
  readonly ends: readonly DrainStep[];
};

export type IntakeParts = {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly known: Known;
  readonly log: Logger;
  readonly meters?: Meters;
  readonly onStep?: OnStep;
};

/** @throws {Error} one line, where the broker cannot be used */
export function openIntake(parts: IntakeParts): Promise<Intake> {
  return parts.config.ingestLog.name === 'direct'
    ? Promise.resolve(openDirectIntake(parts))
    : openQueuedIntake(parts, parts.config.ingestLog);
}

export type OpenRecorder = { readonly recorder: Recorder; close(): Promise<void> };

export function openRecorder({ config, ledger, known, log, meters, onStep }: IntakeParts): OpenRecorder {
  const { board, bus, clock } = known;
  const lanes = Array.from({ length: config.recorderLanes }, () =>
    createBallotLane(ledger.connection, config.statementTimeoutMs),
  );
  const recorder = createRecorder(
    {
      lanes,
      board,
      onCounted: bus.tell,
      onBatch(ballots, ms) {
        meters?.batchBallots.note(ballots);
        meters?.batchSeconds.note(ms / 1_000);
      },
      now: clock.now,
      log,
      ...(onStep === undefined ? {} : { onStep }),
    },
    { batchBallotsMax: config.batchBallotsMax },
  );
  return {
    recorder,
    async close() {
      recorder.stop();
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** Half of what a worker has in hand at most (`worker.ts`): the other half keeps the log flowing. */
const waitingSegmentsMax = 32;

/** A worker of this process, on a recorder of its own. */
export function openWorker(parts: IntakeParts, segments: SegmentLog, { recorder }: OpenRecorder): Worker {
  const { ledger, known, log, meters, onStep } = parts;
  const insist = createInsist(log);
  const { findOutcomes } = createBallotStore(ledger.pool);
  return createWorker({
    segments,
    recordBallots: createSegmentRecording({
      recorder,
      readPoll: (pollNo) => known.store.find({ by: 'poll_no', name: String(pollNo) }),
      peekPoll: known.polls.byNo,
      followers: createFollowers({
        findDecided: async (ballotIds) => (await findOutcomes(ballotIds)).map(({ ballotId }) => ballotId),
        segmentsMax: waitingSegmentsMax,
      }),
      insist,
      ...(meters === undefined ? {} : { meter: meters.ballots }),
    }),
    progress: createLogProgress(ledger.pool),
    ledger: known.epoch,
    insist,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
}

function openDirectIntake(parts: IntakeParts): Intake {
  const nextTick = createLedgerTicks(parts);
  const opened = openRecorder(parts);
  const { recorder } = opened;
  const ingestLog = createDirectIngestLog(recorder, { ballotsWaitingMax: parts.config.ballotsWaitingMax });
  return {
    ingestLog,
    stamp: () => ({ id: toUuidV7(nextTick()), acceptedUs: null }),
    isOnItsWay: () => false,
    holds: () => false,
    lagMs: () => 0,
    recorderAwayMs: recorder.awayMs,
    logAwayMs: () => 0,
    segments: null,
    worker: null,
    start: () => Promise.resolve(),
    ends: [
      ['ingest log', ingestLog.drain],
      ['recorder', opened.close],
    ],
  };
}

async function openQueuedIntake(parts: IntakeParts, choice: Parameters<typeof openSegmentLog>[0]): Promise<Intake> {
  const { config, ledger, known, log } = parts;
  const segments = await openSegmentLog(choice, config, log);
  const opened = config.worker ? openRecorder(parts) : null;
  const worker = opened === null ? null : openWorker(parts, segments, opened);
  const nodeId = randomBytes(16);
  const nextTick = createLedgerTicks(parts);
  const outstanding = createOutstanding();
  const settlement = createSettlement({
    nodeId,
    progress: createLogProgress(ledger.pool),
    outstanding,
    oldestWaitingAt: () => ingestLog.oldestWaitingAt(),
    measureLog: segments.measure,
    now: () => Math.floor(nextTick() / 1_000),
    isAwaited: () => someoneCloses(known, settlement.through()),
    log,
  });
  const ingestLog = createQueuedIngestLog(
    {
      segments,
      outstanding,
      clockErrorMs: known.clock.errorMs,
      backlog: settlement.backlog,
      settledThrough: settlement.through,
      log,
    },
    {
      ledger: known.epoch,
      nodeId,
      ballotsWaitingMax: config.ballotsWaitingMax,
      segmentsWaitingMax: config.segmentsWaitingMax,
      segmentBallotsMax,
    },
  );
  const ids = createBallotIds(known.secrets.voter);
  await settlement.look();
  return {
    ingestLog,
    stamp(poll, retry) {
      const acceptedUs = nextTick();
      const id = retry === null ? ids.ofMoment(acceptedUs) : ids.ofRetry(poll.id, retry.voterKey, retry.retryKey);
      return { id, acceptedUs };
    },
    isOnItsWay: ids.isOurs,
    holds: (ballotId) => worker?.holds(ballotId) === true,
    lagMs() {
      const oldestAt = ingestLog.oldestWaitingAt();
      return oldestAt === null ? 0 : Math.max(0, known.clock.now() - oldestAt);
    },
    recorderAwayMs: () => opened?.recorder.awayMs() ?? 0,
    logAwayMs: segments.awayMs,
    segments,
    worker,
    async start() {
      settlement.start();
      await worker?.start();
    },
    ends: [
      ['ingest log', ingestLog.drain],
      ['worker', () => worker?.stop()],
      ['settlement', settlement.stop],
      ['recorder', () => opened?.close()],
      ['broker', segments.close],
    ],
  };
}

const segmentBallotsMax = 1_000;

/** Microseconds by the ledger's clock, growing strictly. */
function createLedgerTicks({ known: { clock } }: IntakeParts): () => number {
  const preciseNow = createPreciseNow();
  return createTickSource(() => preciseNow() + clock.offsetMs());
}

/** Whether a poll waits for its ballots to be settled. */
function someoneCloses({ polls, clock }: Known, settledThrough: number): boolean {
  const now = clock.now();
  for (const { closesAt } of polls.all()) {
    if (closesAt !== null && closesAt <= now && closesAt > settledThrough) return true;
  }
  return false;
}
