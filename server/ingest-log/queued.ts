/**
 * The ingest log over a broker. Ballots gather while appends are under way and leave together as the next segment: the busier it is, the
 * larger the segments, and no timer adds delay.
 */
import type { Logger } from '../lib/logger.ts';
import type { Ballot } from '../poll/ballot.ts';
import { pollStatusAt } from '../poll/schedule.ts';
import type { IngestLog, Outcome, Settle } from './ingest-log.ts';
import type { Outstanding } from './outstanding.ts';
import { AppendFailed, segmentBytesMax, type SegmentLog } from './segment-log.ts';
import { encodeSegment, toSegmentBytes, type BallotForSegment, type SegmentHead } from './segment.ts';
import { createVoterOrder, type VoterOrder } from './voter-order.ts';

export type QueuedLogParts = {
  readonly segments: Pick<SegmentLog, 'name' | 'append' | 'appendsMax'>;
  readonly outstanding: Outstanding;
  /** How far the clock of acceptance may be off, in milliseconds. */
  readonly clockErrorMs: () => number;
  /** Segments that wait in the log for a worker, as far as this process knows. */
  readonly backlog: () => number;
  readonly settledThrough: () => number;
  readonly log: Logger;
};

export type QueuedLogOptions = Pick<SegmentHead, 'ledger' | 'nodeId'> & {
  /** Ballots taken and not acknowledged by the broker. */
  readonly ballotsWaitingMax: number;
  /** Segments in the log that no worker has recorded; beyond it ballots are refused with `ingest_log_full`. */
  readonly segmentsWaitingMax: number;
  readonly segmentBallotsMax: number;
};

export type QueuedLog = IngestLog & {
  /** When the oldest ballot was accepted that the broker has not acknowledged, in milliseconds; null without one. */
  oldestWaitingAt(): number | null;
};

type Waiting = { readonly ballot: BallotForSegment; readonly settle: Settle };

/** With an error of the clock beyond this, ballots near a close are refused. */
const clockErrorMsMax = 50;

export function createQueuedIngestLog(parts: QueuedLogParts, options: QueuedLogOptions): QueuedLog {
  const { segments, outstanding, backlog } = parts;
  const { ballotsWaitingMax, segmentsWaitingMax } = options;
  const voterOrder = createVoterOrder();
  const sender = createSender({ ...parts, voterOrder }, options);
  let draining = false;

  function refusalOf({ poll, acceptedUs }: Ballot): Outcome | null {
    if (draining) return refuse('shutting_down');
    if (sender.takenCount() >= ballotsWaitingMax || backlog() >= segmentsWaitingMax) return refuse('ingest_log_full');
    const acceptedAt = toMilliseconds(acceptedUs);
    if (pollStatusAt(poll, acceptedAt) !== 'open') return { kind: 'not_taken' };
    const errorMs = parts.clockErrorMs();
    const isNearClose = poll.closesAt !== null && poll.closesAt - acceptedAt <= errorMs;
    return errorMs > clockErrorMsMax && isNearClose ? refuse('ledger_unavailable') : null;
  }

  return {
    name: segments.name,
    acknowledges: 'acceptance',
    survivesRestart: true,
    append(ballot, settle) {
      const refused = refusalOf(ballot);
      if (refused === null) sender.add({ ballot: { ...ballot, follows: voterOrder.take(ballot) }, settle });
      else queueMicrotask(() => settle(refused));
    },
    drain() {
      draining = true;
      return sender.untilIdle();
    },
    settledThrough: parts.settledThrough,
    waitingCount: sender.takenCount,
    oldestWaitingAt: () => outstanding.oldestAt() ?? sender.oldestUnsentAt(),
  };
}

type Sender = {
  add(taken: Waiting): void;
  /** Ballots that are not settled. */
  takenCount(): number;
  oldestUnsentAt(): number | null;
  /** Resolves once nothing is taken. */
  untilIdle(): Promise<void>;
};

type SenderParts = QueuedLogParts & { readonly voterOrder: VoterOrder };

/** Gathers ballots into segments, appends them, and settles each ballot when its segment is acknowledged. */
function createSender({ segments, outstanding, voterOrder, log }: SenderParts, options: QueuedLogOptions): Sender {
  const { ledger, nodeId, segmentBallotsMax } = options;
  const waiting: Waiting[] = [];
  let takenCount = 0;
  let appendCount = 0;
  let segmentNo = 0;
  let sendScheduled = false;
  let idle: PromiseWithResolvers<void> | null = null;

  function sendWaiting(): void {
    sendScheduled = false;
    while (waiting.length > 0 && appendCount < segments.appendsMax) void send(takeSegment(waiting, segmentBallotsMax));
  }

  async function send(taken: readonly Waiting[]): Promise<void> {
    appendCount += 1;
    segmentNo += 1;
    const failure = await append(segmentNo, taken);
    appendCount -= 1;
    settle(taken, ({ ballot }) => failure ?? toAccepted(ballot));
    if (failure?.code === 'ingest_log_unavailable') refuseWaiting(failure);
    if (takenCount === 0) idle?.resolve();
    sendWaiting();
  }

  /** What waits behind a broker that does not answer never left, and has waited as long as an answer may take. */
  function refuseWaiting(failure: Failure): void {
    const refused = waiting.splice(0);
    refused.forEach(({ ballot }) => voterOrder.forget(ballot));
    settle(refused, () => ({ ...failure, recorded: 'no' }));
  }

  function settle(settled: readonly Waiting[], toOutcome: (waiting: Waiting) => Outcome): void {
    takenCount -= settled.length;
    for (const each of settled) settleSafely(each.settle, toOutcome(each), log);
  }

  async function append(no: number, taken: readonly Waiting[]): Promise<Failure | null> {
    outstanding.add(no, toMilliseconds(taken[0]?.ballot.acceptedUs ?? null));
    const ballots = taken.map(({ ballot }) => ballot);
    try {
      await segments.append(encodeSegment({ ledger, nodeId, segmentNo: no }, ballots));
      return null;
    } catch (error) {
      const failure = toFailure(error);
      if (failure.recorded === 'no') outstanding.remove(no);
      else outstanding.doubt(no);
      log.debug({ err: error, ballots: taken.length }, 'segment not acknowledged');
      ballots.forEach(voterOrder.forget);
      return failure;
    }
  }

  return {
    add(taken) {
      takenCount += 1;
      waiting.push(taken);
      if (sendScheduled) return;
      // After the events that are ready now: the ballots that they bring share the segment.
      sendScheduled = true;
      setImmediate(sendWaiting);
    },
    takenCount: () => takenCount,
    oldestUnsentAt() {
      const unsent = waiting[0]?.ballot.acceptedUs ?? null;
      return unsent === null ? null : toMilliseconds(unsent);
    },
    untilIdle() {
      if (takenCount === 0) return Promise.resolve();
      idle ??= Promise.withResolvers();
      return idle.promise;
    },
  };
}

/** One caller that fails must not keep the others from their answers. */
function settleSafely(settle: Settle, outcome: Outcome, log: Logger): void {
  try {
    settle(outcome);
  } catch (error) {
    log.error({ err: error }, 'answer not given');
  }
}

/** As many of the first as one segment holds. */
function takeSegment(waiting: Waiting[], ballotsMax: number): Waiting[] {
  // Room for the head and the checksum of a segment.
  let bytes = 64;
  let count = 0;
  for (const { ballot } of waiting) {
    bytes += toSegmentBytes(ballot);
    if (count === ballotsMax || bytes > segmentBytesMax) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function toAccepted({ acceptedUs }: BallotForSegment): Outcome {
  return { kind: 'accepted', castAt: toMilliseconds(acceptedUs) };
}

type Failure = Extract<Outcome, { kind: 'failed' }>;

function toFailure(error: unknown): Failure {
  if (error instanceof AppendFailed) {
    return { kind: 'failed', code: error.code, recorded: error.recorded, cause: error.cause };
  }
  return { kind: 'failed', code: 'ingest_log_unavailable', recorded: 'unknown', cause: error };
}

function refuse(code: Failure['code']): Failure {
  return { kind: 'failed', code, recorded: 'no' };
}

function toMilliseconds(acceptedUs: number | null): number {
  return Math.floor((acceptedUs ?? 0) / 1_000);
}
