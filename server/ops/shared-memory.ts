/** What the processes of an installation share for a short while and could do without: Redis, where one is named. */
import { createAbsence } from '../lib/absence.ts';
import type { Secret } from '../lib/secret.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/within.ts';

/**
 * Texts under keys, each forgotten after its time, at any moment lost as a whole. Every call rejects after `answerMsMax` at the latest; after
 * one that was not answered in time, calls reject at once for `restMs`, so that a Redis that hangs does not slow down every request.
 */
export type SharedMemory = {
  /** null: nothing is there (any more). */
  read(key: string): Promise<string | null>;
  write(key: string, text: string, ttlSeconds: number): Promise<void>;
  /** Counts one more under the key, from 1. The count is forgotten `ttlSeconds` after it began. */
  count(key: string, ttlSeconds: number): Promise<SharedCount>;
  /** What was counted under the key so far; 0 where nothing was. */
  readCount(key: string): Promise<SharedCount>;
  close(): void;
};

export type SharedCount = { readonly count: number; readonly secondsLeft: number };

const answerMsMax = 500;
const restMs = 2_000;

export type SharedMemoryOptions = {
  readonly url: Secret;
  /** What belongs to one installation is not seen by another on the same Redis. */
  readonly installation: string;
  readonly log: Logger;
};

/** Does not wait for the connection: while there is none, every call rejects at once. */
export async function openSharedMemory({ url, installation, log }: SharedMemoryOptions): Promise<SharedMemory> {
  const prefix = `hustings:${installation}:`;
  // Only those who name a Redis wait for its client to be loaded.
  const { createRedisClient } = await import('../lib/redis-client.ts');
  const client = createRedisClient(url, { absence: createAbsence(), log });
  const inTime = createPatience();
  client.connect().catch((error: unknown) => log.debug({ err: error }, 'shared memory was closed'));

  return {
    read: (key) => inTime(() => client.get(prefix + key)),
    async write(key, text, ttlSeconds) {
      await inTime(() => client.set(prefix + key, text, { expiration: { type: 'EX', value: ttlSeconds } }));
    },
    async count(key, ttlSeconds) {
      const [, count, leftMs] = await inTime(() =>
        client
          .multi()
          .set(prefix + key, '0', { condition: 'NX', expiration: { type: 'EX', value: ttlSeconds } })
          .incr(prefix + key)
          .pTTL(prefix + key)
          .exec(),
      );
      // It was forgotten between two commands, and nothing may be counted for ever.
      if (Number(leftMs) < 0) await inTime(() => client.expire(prefix + key, ttlSeconds));
      return { count: Number(count), secondsLeft: Number(leftMs) / 1_000 };
    },
    async readCount(key) {
      const [count, leftMs] = await inTime(() =>
        client
          .multi()
          .get(prefix + key)
          .pTTL(prefix + key)
          .exec(),
      );
      return { count: Number(count ?? 0), secondsLeft: Number(leftMs) / 1_000 };
    },
    close: () => client.destroy(),
  };
}

/** An answer that comes too late is of no use to a request that could do without it. */
function createPatience() {
  let restsUntil = 0;
  return async <Value>(ask: () => Promise<Value>): Promise<Value> => {
    const askedAt = performance.now();
    if (askedAt < restsUntil) throw new Error('Redis did not answer a moment ago.');
    try {
      return await within(answerMsMax, ask());
    } catch (error) {
      const now = performance.now();
      if (now - askedAt >= answerMsMax) restsUntil = now + restMs;
      throw error;
    }
  };
}
