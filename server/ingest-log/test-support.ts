/** A segment log in memory whose appends and deliveries tests hold back, fail or repeat. */
import { AppendFailed, type Delivery, type SegmentLog } from './segment-log.ts';

export type FakeSegmentLog = SegmentLog & {
  /** Every segment that was appended, in the order of the calls. */
  readonly appended: Buffer[];
  /** Settles the oldest append under way. */
  confirm(failure?: AppendFailed): void;
  /** Hands a segment to the consumer; answers how often it was acknowledged since. */
  deliver(bytes: Buffer): () => number;
  readonly buried: { readonly bytes: Buffer; readonly reason: string }[];
  /** What `measure` says. */
  length: number;
  /** How many of the next burials fail. */
  burialsToFail: number;
};

/** With `confirms` every append is acknowledged by itself. */
export function createFakeSegmentLog({ confirms = false, appendsMax = 1 } = {}): FakeSegmentLog {
  const appended: Buffer[] = [];
  const buried: { bytes: Buffer; reason: string }[] = [];
  const underWay: PromiseWithResolvers<void>[] = [];
  let onDelivery: (delivery: Delivery) => void = () => {
    throw new Error('Nobody consumes.');
  };
  const log: FakeSegmentLog = {
    name: 'redis',
    appendsMax,
    countsInHand: true,
    appended,
    buried,
    length: 0,
    burialsToFail: 0,
    checkDurability: () => Promise.resolve(),
    append(bytes) {
      appended.push(bytes);
      if (confirms) return Promise.resolve();
      const append = Promise.withResolvers<void>();
      underWay.push(append);
      return append.promise;
    },
    confirm(failure) {
      const append = underWay.shift();
      if (failure === undefined) append?.resolve();
      else append?.reject(failure);
    },
    consume(take) {
      onDelivery = take;
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
    deliver(bytes) {
      let count = 0;
      onDelivery({ bytes, acknowledge: () => (count += 1) });
      return () => count;
    },
    measure: () => Promise.resolve({ segments: log.length, consumers: 1 }),
    dead: {
      bury(bytes, reason) {
        if (log.burialsToFail > 0) {
          log.burialsToFail -= 1;
          return Promise.reject(new AppendFailed('ingest_log_unavailable', 'no'));
        }
        buried.push({ bytes, reason });
        return Promise.resolve();
      },
      count: () => Promise.resolve(buried.length),
      list: () => Promise.resolve([]),
      replay: () => Promise.resolve(0),
    },
    awayMs: () => 0,
    close: () => Promise.resolve(),
  };
  return log;
}
