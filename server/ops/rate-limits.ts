/** Rate limits as this installation has them: counted together where its processes share a memory, else each for itself. */
import type { Logger } from '../lib/logger.ts';
import { createMemoryRateLimit } from './rate-limit-memory.ts';
import { createRedisRateLimit } from './rate-limit-redis.ts';
import type { RateLimits } from './rate-limit.ts';
import type { SharedMemory } from './shared-memory.ts';

export type RateLimitsParts = { readonly memory: SharedMemory | null; readonly log: Logger };

export function createRateLimits({ memory, log }: RateLimitsParts): RateLimits {
  return {
    create(name, options) {
      const own = createMemoryRateLimit(options, () => performance.now());
      return memory === null ? own : createRedisRateLimit({ memory, otherwise: own, log }, name, options);
    },
  };
}
