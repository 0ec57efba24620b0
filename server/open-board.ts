/** The board that all processes share: on Redis nodes where the settings name some, else each process's own. */
import { toBoardPlace, type RingChoice } from './board/board-settings.ts';
import type { RedisLeaderboard } from './board/redis-leaderboard.ts';
import type { Results } from './board/results.ts';
import { createUnsharedBoard, type SharedBoard } from './board/shared-board.ts';
import type { Known } from './known.ts';
import { createRingStore, readBoardNames } from './ledger/ring.ts';
import type { Logger } from './lib/logger.ts';
import type { Ledger } from './open-ledger.ts';

export type OpenBoardParts = {
  readonly ring: RingChoice | null;
  readonly known: Known;
  readonly ledger: Ledger;
  readonly log: Logger;
};

/** Makes the ring of the settings that of all processes, and does not wait for its nodes. */
export async function openSharedBoard({ ring, known, ledger: { pool }, log }: OpenBoardParts): Promise<SharedBoard> {
  const { tailed: board, polls, store, clock } = known;
  if (ring === null || board === null) return createUnsharedBoard(known.board, clock.now);
  // Only those who name nodes wait for the client to be loaded.
  const { startRedisRing } = await import('./board/redis-ring.ts');
  const { withResultCache } = await import('./board/result-cache.ts');
  const rings = createRingStore(pool);
  const { virtualNodes, label, parts, flushMs, keptMs } = ring;
  const stored = await rings.propose({ nodes: ring.nodes.map((url) => url.reveal()), virtualNodes, label, parts });
  const nodes = startRedisRing(
    {
      epoch: known.epoch.toString('hex'),
      board,
      now: clock.now,
      peekPoll: polls.byNo,
      findPoll: async (pollNo) => {
        const found = await store.find({ by: 'poll_no', name: String(pollNo) });
        if (found !== null) polls.put(found);
        return found;
      },
      readNames: (pollNos) => readBoardNames(pool, pollNos),
      readRing: rings.read,
      log,
    },
    { ring: stored, flushMs },
  );
  const shared = withResultCache(nodes, { keptMs });
  known.onDeleted(shared.drop);
  return shared;
}

type OpenLeaderboardParts = Omit<OpenBoardParts, 'ledger'> & { readonly results: Results };

/** Keeps the leaderboards on the first of the nodes, or in the cluster. Answers how to stop. */
export async function openLeaderboard({ ring, known, results, log }: OpenLeaderboardParts): Promise<RedisLeaderboard> {
  const place = ring === null ? null : toBoardPlace(ring);
  if (place === null) return { stop: () => Promise.resolve() };
  const { openRedisLeaderboard } = await import('./board/redis-leaderboard.ts');
  return openRedisLeaderboard({ place, installation: results.epoch, results, batchNos: known.board.batchNos, log });
}
