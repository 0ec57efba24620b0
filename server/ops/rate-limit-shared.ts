/** A rate limit that all processes of an installation share. */
import { hash } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import type { RateLimit, RateLimitOptions } from './rate-limit.ts';
import type { SharedMemory } from './shared-memory.ts';

export type SharedRateLimitParts = {
  readonly memory: Pick<SharedMemory, 'count'>;
  /** Counts while the shared memory is away: a limit for each process is better than none. */
  readonly otherwise: RateLimit;
  readonly log: Logger;
};

export function createSharedRateLimit(
  { memory, otherwise, log }: SharedRateLimitParts,
  { timesMax, windowSeconds }: RateLimitOptions,
): RateLimit {
  return {
    async take(key) {
      try {
        // Hashed, because a name is nothing to store there, and may be long.
        const { count, secondsLeft } = await memory.count(`rate:${hash('sha256', key, 'base64url')}`, windowSeconds);
        return count <= timesMax ? 0 : Math.max(1, Math.ceil(secondsLeft));
      } catch (error) {
        log.debug({ err: error }, 'rate limit counted without shared memory');
        return otherwise.take(key);
      }
    },
  };
}
