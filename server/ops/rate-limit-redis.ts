/** A rate limit that all processes of an installation share, in Redis. */
import { hash } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import type { RateLimit, RateLimitOptions } from './rate-limit.ts';
import type { SharedMemory } from './shared-memory.ts';

export type RedisRateLimitParts = {
  readonly memory: Pick<SharedMemory, 'count' | 'readCount'>;
  /** Counts while the shared memory is away: a limit for each process is better than none. */
  readonly otherwise: RateLimit;
  readonly log: Logger;
};

export function createRedisRateLimit(
  { memory, otherwise, log }: RedisRateLimitParts,
  name: string,
  { timesMax, windowSeconds }: RateLimitOptions,
): RateLimit {
  // Hashed, because an address or a name is nothing to store there, and may be long.
  const toKey = (key: string): string => `rate:${name}:${hash('sha256', key, 'base64url')}`;
  const toWait = (hasRoom: boolean, secondsLeft: number): number => (hasRoom ? 0 : Math.max(1, Math.ceil(secondsLeft)));

  return {
    async take(key) {
      try {
        const { count, secondsLeft } = await memory.count(toKey(key), windowSeconds);
        return toWait(count <= timesMax, secondsLeft);
      } catch (error) {
        log.debug({ err: error }, 'rate limit counted without shared memory');
        return otherwise.take(key);
      }
    },
    async look(key) {
      try {
        const { count, secondsLeft } = await memory.readCount(toKey(key));
        return toWait(count < timesMax, secondsLeft);
      } catch (error) {
        log.debug({ err: error }, 'rate limit read without shared memory');
        return otherwise.look(key);
      }
    },
  };
}
