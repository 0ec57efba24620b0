/** What tests put into a segment log and how they take it out. */
import { randomBytes } from 'node:crypto';
import {
  AppendFailed,
  appendMsMax,
  type Consumption,
  type Delivery,
  type SegmentLog,
} from '../../server/ingest-log/segment-log.ts';

const deliveriesMax = 100;

/** A segment that no other is like. */
export function makeSegment(bytes = 64): Buffer {
  return randomBytes(bytes);
}

export function makeSegments(count: number, bytes = 64): Buffer[] {
  return Array.from({ length: count }, () => makeSegment(bytes));
}

export function nameOf(segment: Buffer): string {
  return segment.toString('base64');
}

export function namesOf(segments: readonly Buffer[]): string[] {
  return segments.map(nameOf).sort();
}

export function appendAll(log: SegmentLog, segments: readonly Buffer[]): Promise<unknown> {
  return Promise.all(segments.map((segment) => log.append(segment)));
}

/** Fails instead of waiting for ever: what is promised comes long before. */
export function withDeadline<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return Promise.race([
    promise,
    new Promise<Value>((_resolve, reject) => {
      setTimeout(() => reject(new Error(`Nothing within ${ms} ms.`)), ms).unref();
    }),
  ]);
}

/** How an append ended: undefined where it was acknowledged. */
export async function appendOnce(log: SegmentLog, segment: Buffer): Promise<AppendFailed | undefined> {
  try {
    await withDeadline(log.append(segment), 2 * appendMsMax);
    return undefined;
  } catch (error) {
    if (error instanceof AppendFailed) return error;
    throw error;
  }
}

/** A consumer that keeps what it was given. */
export class Taker {
  readonly names: string[] = [];
  readonly waiting: Delivery[] = [];
  readonly #acknowledges: boolean;
  #consumption: Consumption | null = null;

  constructor(acknowledges: boolean) {
    this.#acknowledges = acknowledges;
  }

  async start(log: SegmentLog, most = deliveriesMax): Promise<this> {
    this.#consumption = await log.consume((delivery) => {
      this.names.push(nameOf(delivery.bytes));
      if (this.#acknowledges) delivery.acknowledge();
      else this.waiting.push(delivery);
    }, most);
    return this;
  }

  async stop(): Promise<void> {
    await this.#consumption?.stop();
  }

  /** Each once, in the order of the names. */
  get distinct(): string[] {
    return [...new Set(this.names)].sort();
  }

  has(segment: Buffer): boolean {
    return this.names.includes(nameOf(segment));
  }
}
