/** One consumer of the stream: reads what is new, takes over what others have left behind, and trims what is done. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import type { RedisClient } from '../lib/redis-client.ts';
import type { RedisStream, StreamEntry } from './redis-stream.ts';
import type { Consumption, Delivery } from './segment-log.ts';

export type RedisConsumerParts = {
  readonly stream: RedisStream;
  /** A connection of its own: a read that waits holds up everything behind it. */
  readonly reader: RedisClient;
  /** An entry that its consumer has not acknowledged for so long is given to another one. */
  readonly claimMs: number;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly deliveriesMax: number;
  readonly log: Logger;
};

const tidyMs = 1_000;
const retryMs = 200;

export function startRedisConsumer(parts: RedisConsumerParts): Consumption {
  const { stream, reader, claimMs, deliveriesMax, log } = parts;
  const consumer = randomUUID();
  const hand = createHand(parts);
  let stopped = false;
  let tidiedAt = 0;

  /** Takes over what a consumer that died had in hand. What this one has in hand itself only starts its time anew. */
  async function tidy(): Promise<void> {
    tidiedAt = performance.now();
    const entries = await stream.claim(consumer, claimMs, Math.max(1, deliveriesMax - hand.ids.size));
    entries.forEach(hand.take);
    await stream.trim();
  }

  async function step(): Promise<void> {
    if (hand.ids.size >= deliveriesMax) return hand.untilFreed();
    if (performance.now() - tidiedAt > tidyMs) await tidy();
    const entries = await stream.readNew(reader, consumer, Math.max(1, deliveriesMax - hand.ids.size));
    entries.forEach(hand.take);
  }

  async function work(): Promise<void> {
    while (!stopped) {
      try {
        await step();
      } catch (error) {
        if (stopped) return;
        log.debug({ err: error }, 'stream not read');
        // A Redis that has lost its data has lost the group as well.
        const isGone = error instanceof Error && error.message.startsWith('NOGROUP');
        if (isGone) await stream.ensureGroup().catch(() => undefined);
        await sleep(retryMs, undefined, { ref: false });
      }
    }
  }

  const working = work();
  return {
    async stop() {
      stopped = true;
      hand.free();
      await working;
      await hand.close();
      await stream
        .signOff(consumer, [...hand.ids], claimMs)
        .catch((error: unknown) => log.debug({ err: error }, 'consumer not signed off'));
      reader.destroy();
    },
  };
}

type Hand = {
  /** Entries that were handed over and are not acknowledged. */
  readonly ids: ReadonlySet<string>;
  readonly take: (entry: StreamEntry) => void;
  /** Resolves at the next acknowledgement. */
  untilFreed(): Promise<void>;
  free(): void;
  /** Resolves when Redis has every acknowledgement. Later ones are ignored: others have those entries to acknowledge. */
  close(): Promise<void>;
};

/** What a consumer has in hand. Acknowledgements of one turn of the event loop go together. */
function createHand({ stream, onDelivery, log }: RedisConsumerParts): Hand {
  const ids = new Set<string>();
  const acknowledged: string[] = [];
  let sending: Promise<void> | null = null;
  let freed = Promise.withResolvers<void>();
  let closed = false;

  async function send(): Promise<void> {
    await Promise.resolve();
    while (acknowledged.length > 0) {
      const sent = acknowledged.splice(0);
      // Where Redis is away, they come again.
      await stream.acknowledge(sent).catch((error: unknown) => log.debug({ err: error }, 'not acknowledged'));
      for (const id of sent) ids.delete(id);
      freed.resolve();
    }
    sending = null;
  }

  return {
    ids,
    take({ id, bytes }) {
      if (bytes === null || ids.has(id)) return;
      ids.add(id);
      onDelivery({
        bytes,
        acknowledge() {
          if (closed) return;
          acknowledged.push(id);
          sending ??= send();
        },
      });
    },
    untilFreed() {
      freed = Promise.withResolvers();
      return freed.promise;
    },
    free: () => freed.resolve(),
    async close() {
      closed = true;
      await sending;
    },
  };
}
