/** What the processes of an installation share for a short while and could do without: Redis, where one is named. */
import type { Logger } from '../lib/logger.ts';
import type { RedisPlace } from '../lib/redis-access.ts';
import type { RedisClient } from '../lib/redis-client.ts';
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
  readonly place: RedisPlace;
  /** What belongs to one installation is not seen by another on the same Redis. */
  readonly installation: string;
  readonly log: Logger;
};

/** Does not wait for the connection: while there is none, every call rejects at once. */
export async function openSharedMemory({ place, installation, log }: SharedMemoryOptions): Promise<SharedMemory> {
  const prefix = `hustings:${installation}:`;
  // Only those who name a Redis wait for its client to be loaded.
  const { openRedisAccess } = await import('../lib/redis-access.ts');
  const redis = openRedisAccess(place, { log });
  const inTime = createPatience();
  const ask = <Value>(key: string, step: (client: RedisClient, fullKey: string) => Promise<Value>): Promise<Value> =>
    inTime(() => redis.use(prefix + key, (client) => step(client, prefix + key)));

  return {
    read: (key) => ask(key, (client, fullKey) => client.get(fullKey)),
    async write(key, text, ttlSeconds) {
      const expiration = { type: 'EX', value: ttlSeconds } as const;
      await ask(key, (client, fullKey) => client.set(fullKey, text, { expiration }));
    },
    async count(key, ttlSeconds) {
      const start = { condition: 'NX', expiration: { type: 'EX', value: ttlSeconds } } as const;
      const [, count, leftMs] = await ask(key, (client, fullKey) =>
        client.multi().set(fullKey, '0', start).incr(fullKey).pTTL(fullKey).exec(),
      );
      // It was forgotten between two commands, and nothing may be counted for ever.
      if (Number(leftMs) < 0) await ask(key, (client, fullKey) => client.expire(fullKey, ttlSeconds));
      return { count: Number(count), secondsLeft: Number(leftMs) / 1_000 };
    },
    async readCount(key) {
      const [count, leftMs] = await ask(key, (client, fullKey) => client.multi().get(fullKey).pTTL(fullKey).exec());
      return { count: Number(count ?? 0), secondsLeft: Number(leftMs) / 1_000 };
    },
    close: redis.close,
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
