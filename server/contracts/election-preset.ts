/** Everything that the contract `election` needs besides the routes: its store, the rate limit, and what it keeps in Redis. */
import type { Contract } from '../http/app.ts';
import type { HttpParts } from '../http/parts.ts';
import { createElectionStore } from '../ledger/election.ts';
import type { Pool } from '../ledger/postgres.ts';
import type { Secret } from '../lib/secret.ts';
import { createMemoryRateLimit } from '../ops/rate-limit.ts';
import { createSharedRateLimit } from '../ops/rate-limit-shared.ts';
import { openSharedMemory } from '../ops/shared-memory.ts';
import { createElectionContract } from './election.ts';
import { createBoardResults, createCachedResults } from './election-results.ts';

export type ElectionOptions = {
  readonly redisUrl: Secret | undefined;
  readonly votesPerMinuteMax: number;
  readonly resultsCacheTtlSeconds: number;
};

export type Election = { readonly contract: Contract; close(): void };

type ElectionHouse = Pick<HttpParts, 'results' | 'log'> & { readonly pool: Pool };

export async function makeElection(house: ElectionHouse, options: ElectionOptions): Promise<Election> {
  const { pool, results, log } = house;
  const { redisUrl, votesPerMinuteMax, resultsCacheTtlSeconds } = options;
  const limit = { timesMax: votesPerMinuteMax, windowSeconds: 60 };
  const votes = createElectionStore(pool);
  const ownLimit = createMemoryRateLimit(limit, () => performance.now());
  if (redisUrl === undefined) {
    const readResults = createBoardResults({ results });
    return { contract: createElectionContract({ votes, rateLimit: ownLimit, readResults }), close: () => {} };
  }
  const memory = await openSharedMemory({ url: redisUrl, installation: results.epoch, log });
  const contract = createElectionContract({
    votes,
    rateLimit: createSharedRateLimit({ memory, otherwise: ownLimit, log }, limit),
    readResults: createCachedResults({ results, memory, log }, resultsCacheTtlSeconds),
  });
  return { contract, close: memory.close };
}
