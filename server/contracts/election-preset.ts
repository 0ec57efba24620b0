/** Everything that the contract `election` needs besides the routes: its store, the rate limit, and what it keeps in Redis. */
import type { Contract } from '../http/app.ts';
import type { HttpParts } from '../http/parts.ts';
import { createElectionStore } from '../ledger/election.ts';
import type { Pool } from '../ledger/postgres.ts';
import type { RateLimits } from '../ops/rate-limit.ts';
import type { SharedMemory } from '../ops/shared-memory.ts';
import { createElectionContract } from './election.ts';
import { createBoardResults, createCachedResults } from './election-results.ts';

export type ElectionOptions = {
  readonly votesPerMinuteMax: number;
  readonly resultsCacheTtlSeconds: number;
};

export type ElectionHouse = Pick<HttpParts, 'results' | 'log'> & {
  readonly pool: Pool;
  readonly rateLimits: RateLimits;
  /** Where results are kept for a while; null: they are always new. */
  readonly memory: SharedMemory | null;
};

export function makeElection(house: ElectionHouse, options: ElectionOptions): Contract {
  const { pool, results, rateLimits, memory, log } = house;
  const { votesPerMinuteMax, resultsCacheTtlSeconds } = options;
  return createElectionContract({
    votes: createElectionStore(pool),
    rateLimit: rateLimits.create('election_vote', { timesMax: votesPerMinuteMax, windowSeconds: 60 }),
    readResults:
      memory === null
        ? createBoardResults({ results })
        : createCachedResults({ results, memory, log }, resultsCacheTtlSeconds),
  });
}
