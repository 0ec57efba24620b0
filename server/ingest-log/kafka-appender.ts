/**
 * Appends records to Kafka, each acknowledged by all replicas in sync (`acks=all`), and knows how an append ended.
 *
 * Before a record leaves, its lane connects to the leader of a partition; where that fails the record is certainly not in the log. Once it
 * has left, only some answers of a broker are as certain. While there is time the record is sent once more, to another partition: a broker
 * that is gone or no longer leads then costs a repeat of the segment at worst, and the ballots are not refused. A failure after that is
 * `unknown` if any of the tries was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import { createOutage, isKafkaError, type KafkaAddress } from './kafka-client.ts';
import { createKafkaLane, type KafkaLane, type KafkaRecordToAppend } from './kafka-lane.ts';
import { AppendFailed, appendMsMax } from './segment-log.ts';

export type KafkaAppender = {
  /** Resolves when an append can succeed. @throws {Error} where it cannot within `appendMsMax` */
  open(): Promise<void>;
  /** @throws {AppendFailed} within `appendMsMax` */
  append(record: KafkaRecordToAppend): Promise<void>;
  awayMs(): number;
  awayReason(): string | null;
  close(): Promise<void>;
};

/**
 * More lanes carry more small records, but the busier it is, the larger a segment. One broker that flushes each record took from 1, 2, 4 and 8
 * bare producers 1,370, 2,230, 4,390 and 7,130 records of 1 kB a second, and of 70 kB 830, 1,270, 2,100 and 2,580 (2026-11-21, one run of 3 s
 * each, a virtual machine with 4 cores, broker and producers on it).
 */
export const lanesMax = 4;
/** An append that is to end within `appendMsMax` needs time for its end. */
const appendMs = appendMsMax - 300;
const pulseMs = 500;
/** Who has not heard from the broker for so long asks it. Also keeps connections from being closed for idleness. */
const silentMsMax = 2_000;
/** Before each further try. */
const pausesMs = [100, 300, 900];
/** Less time than this is not worth a try. */
const tryMsMin = 500;
/** With these the record was refused before anything was written, and always will be. */
const finalRefusals = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
];
/** Likewise before anything was written; another partition may take it. */
const partitionRefusals = ['NOT_ENOUGH_REPLICAS'];

/** `topic` is the one that it asks for to see whether the broker answers. */
export function createKafkaAppender(address: KafkaAddress, topic: string, log: Logger): KafkaAppender {
  let turn = Math.floor(Math.random() * 1_000);
  const nextTurn = (): number => (turn += 1);
  const all = Array.from({ length: lanesMax }, () => createKafkaLane(address, nextTurn));
  const lanes = createLaneQueue(all);
  const outage = createOutage(log, 'kafka', address.security);
  let heardAt = performance.now();
  let pulsing = false;
  let closed = false;

  /** Finds out whether the broker answers, while it is away or silent. */
  async function pulse(): Promise<void> {
    if (closed || pulsing || (outage.ms() === 0 && performance.now() - heardAt < silentMsMax)) return;
    const lane = lanes.takeFree();
    // Without a free lane the appends under way will tell.
    if (lane === undefined) return;
    pulsing = true;
    await lane.prepare(topic, appendMs, 'fresh').then(hear, goAway);
    pulsing = false;
    lanes.giveBack(lane);
  }

  function hear(): void {
    heardAt = performance.now();
    outage.end();
  }

  function goAway(error: unknown): void {
    if (closed) return;
    outage.begin(error);
    lanes.refuseWaiting(error);
  }

  /** Asks at once, so that the next append need not find out. */
  function doubt(): void {
    heardAt = -Infinity;
    setImmediate(() => void pulse());
  }

  const timer = setInterval(() => void pulse(), pulseMs).unref();
  return {
    async open() {
      const lane = await lanes.take(appendMs);
      await lane.prepare(topic, appendMs).finally(() => lanes.giveBack(lane));
    },
    async append(record) {
      if (closed || outage.ms() > 0) throw fail('no');
      const endsAt = performance.now() + appendMs;
      const lane = await lanes.take(appendMs);
      try {
        await sendWithin(lane, record, endsAt, (error) => {
          if (record.topic === topic) goAway(error);
        });
        hear();
      } catch (error) {
        doubt();
        throw error;
      } finally {
        lanes.giveBack(lane);
      }
    },
    awayMs: () => outage.ms(),
    awayReason: () => outage.refusal(),
    async close() {
      closed = true;
      clearInterval(timer);
      lanes.refuseWaiting();
      await Promise.all(all.map((lane) => lane.close()));
    },
  };
}

/** Tries again while there is time and hope. @throws {AppendFailed} */
async function sendWithin(
  lane: KafkaLane,
  record: KafkaRecordToAppend,
  endsAt: number,
  onUnreachable: (error: unknown) => void,
): Promise<void> {
  let recorded: AppendFailed['recorded'] = 'no';
  for (const pauseMs of [...pausesMs, null]) {
    const partition = await lane.prepare(record.topic, endsAt - performance.now()).catch((error: unknown) => {
      onUnreachable(error);
      throw fail(recorded, error);
    });
    try {
      await lane.send(record, partition, endsAt - performance.now());
      return;
    } catch (error) {
      const isFinal = isKafkaError(error, ...finalRefusals);
      if (!isFinal && !isKafkaError(error, ...partitionRefusals)) recorded = 'unknown';
      if (isFinal || pauseMs === null || performance.now() + pauseMs + tryMsMin > endsAt) throw fail(recorded, error);
      await sleep(pauseMs);
    }
  }
}

function fail(recorded: AppendFailed['recorded'], cause?: unknown): AppendFailed {
  return new AppendFailed('ingest_log_unavailable', recorded, cause);
}

type LaneQueue = {
  takeFree(): KafkaLane | undefined;
  /** @throws {AppendFailed} when none is free in time */
  take(msMax: number): Promise<KafkaLane>;
  giveBack(lane: KafkaLane): void;
  refuseWaiting(cause?: unknown): void;
};

/** Callers keep to `appendsMax`, so that hardly any waits; who does is refused in time. */
function createLaneQueue(lanes: readonly KafkaLane[]): LaneQueue {
  type Waiter = { readonly take: (lane: KafkaLane) => void; readonly refuse: (cause?: unknown) => void };
  const free = [...lanes];
  const waiters = new Set<Waiter>();

  function wait(msMax: number): Promise<KafkaLane> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => waiter.refuse(new Error('Too many appends wait.')), msMax);
      const end = (): void => {
        clearTimeout(late);
        waiters.delete(waiter);
      };
      const waiter: Waiter = {
        take(lane) {
          end();
          resolve(lane);
        },
        refuse(cause) {
          end();
          reject(fail('no', cause));
        },
      };
      waiters.add(waiter);
    });
  }

  return {
    takeFree: () => free.pop(),
    take(msMax) {
      const lane = free.pop();
      return lane === undefined ? wait(msMax) : Promise.resolve(lane);
    },
    giveBack(lane) {
      const [waiter] = waiters;
      if (waiter === undefined) free.push(lane);
      else waiter.take(lane);
    },
    refuseWaiting(cause) {
      for (const waiter of waiters) waiter.refuse(cause);
    },
  };
}
