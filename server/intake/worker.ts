/**
 * A worker takes segments out of the log, records their ballots and acknowledges a segment when each of its ballots has an outcome in the
 * ledger: counted, or refused with the reason. Dying at any step costs a repeat, never a ballot.
 *
 * Segments share the recorder's batches and do not wait for each other. What becomes of one:
 *
 * `recording`: its ballots are with the recorder. Ballots that failed because the ledger was away are recorded again, for as long as it takes.
 * `dying`: some of its ballots cannot be recorded for a reason of their own, however often it is tried. They go to the dead letters, as a
 * segment of their own, and the others count. Bytes that are no segment of this ledger go there at once.
 * `settling`: refusals and the mark of the segment are written, many segments at a time, and then it is acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeSegment, encodeSegment, type Segment, type SegmentBallot } from '../ingest-log/segment.ts';
import type { Consumption, Delivery, SegmentLog } from '../ingest-log/segment-log.ts';
import type { BallotRefusal, LogProgress, SegmentMark } from '../ledger/log-progress.ts';
import type { Insist } from '../lib/insist.ts';
import type { Logger } from '../lib/logger.ts';
import type { OnStep } from './lane-duty.ts';
import type { SegmentRecording } from './segment-recording.ts';

export type WorkerParts = {
  readonly segments: SegmentLog;
  readonly recordBallots: SegmentRecording;
  readonly progress: Pick<LogProgress, 'settle'>;
  /** The epoch of the ledger, 8 bytes. */
  readonly ledger: Buffer;
  readonly insist: Insist;
  readonly onStep?: OnStep;
  readonly log: Logger;
};

export type Worker = {
  start(): Promise<void>;
  /** Finishes what is in hand and acknowledges it. Resolves within `drainMsMax` even where the ledger is away; then the rest comes again elsewhere. */
  stop(): Promise<void>;
  /** Whether this worker has the ballot in hand. */
  holds(ballotId: Buffer): boolean;
  /** Segments in hand. */
  inHandCount(): number;
};

/** Deliveries in hand at most. */
const deliveriesMax = 64;
const drainMsMax = 5_000;

export function createWorker({ segments, recordBallots, progress, ledger, insist, onStep, log }: WorkerParts): Worker {
  const inHand = new Map<Delivery, Segment | null>();
  const settle = createSettling(progress, insist, end);
  let stopping = false;
  let consumption: Consumption | null = null;
  const idle = Promise.withResolvers<void>();

  function end(delivery: Delivery): void {
    onStep?.('acknowledging');
    inHand.delete(delivery);
    delivery.acknowledge();
    if (stopping && inHand.size === 0) idle.resolve();
  }

  async function bury(bytes: Buffer, reason: string): Promise<void> {
    log.error({ reason, bytes: bytes.length }, 'segment goes to the dead letters');
    await insist('burying', () => segments.dead.bury(bytes, reason));
  }

  async function take(delivery: Delivery): Promise<void> {
    inHand.set(delivery, null);
    const segment = toSegment(delivery.bytes, ledger);
    if (typeof segment === 'string') {
      await bury(delivery.bytes, segment);
      return end(delivery);
    }
    inHand.set(delivery, segment);
    const { refusals, dead } = await recordBallots(segment.ballots);
    if (dead.length > 0) await bury(toDeadSegment(segment, dead), `${dead.length} ballots cannot be recorded`);
    settle({ refusals, mark: segment, delivery });
  }

  return {
    async start() {
      consumption = await segments.consume((delivery) => {
        // What is not begun comes again, to another worker.
        if (stopping) return;
        take(delivery).catch((error: unknown) => log.error({ err: error }, 'segment left to come again'));
      }, deliveriesMax);
    },
    async stop() {
      stopping = true;
      if (inHand.size === 0) idle.resolve();
      const finished = idle.promise.then(() => consumption?.stop());
      await Promise.race([finished, sleep(drainMsMax, undefined, { ref: false })]);
    },
    holds: (ballotId) =>
      [...inHand.values()].some((segment) => segment?.ballots.some(({ id }) => id.equals(ballotId)) === true),
    inHandCount: () => inHand.size,
  };
}

type Settled = { readonly refusals: readonly BallotRefusal[]; readonly mark: SegmentMark; readonly delivery: Delivery };

/** Writes refusals and marks: what has gathered while the statement before was under way goes together. */
function createSettling(
  progress: WorkerParts['progress'],
  insist: Insist,
  end: (delivery: Delivery) => void,
): (settled: Settled) => void {
  const waiting: Settled[] = [];
  let settling = false;

  async function settleWaiting(): Promise<void> {
    settling = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0);
      const refusals = batch.flatMap((each) => each.refusals);
      const marks = batch.map(({ mark }) => mark);
      await insist('settling', () => progress.settle(refusals, marks));
      for (const { delivery } of batch) end(delivery);
    }
    settling = false;
  }

  return (settled) => {
    waiting.push(settled);
    if (!settling) void settleWaiting();
  };
}

/** The segment, or in words why it is none that this ledger can record. */
function toSegment(bytes: Buffer, ledger: Buffer): Segment | string {
  try {
    const segment = decodeSegment(bytes);
    return segment.ledger.equals(ledger) ? segment : 'it belongs to another ledger';
  } catch (error) {
    return error instanceof Error ? error.message : 'no segment';
  }
}

/** The same head, so that a replay marks nothing new, and only the ballots that failed. */
function toDeadSegment(segment: Segment, dead: readonly SegmentBallot[]): Buffer {
  return encodeSegment(
    segment,
    dead.map(({ pollNo, ballotForm, ...ballot }) => ({ ...ballot, poll: { pollNo, ballotForm } })),
  );
}
