/** Answers of the nodes, given again for a short while. */
import type { Poll } from '../poll/poll.ts';
import type { SharedBoard, SharedTally } from './shared-board.ts';

export type ResultCacheOptions = {
  /** How old an answer may be, from the moment on in which it was asked for. 0: none is kept. */
  readonly keptMs: number;
  readonly pollsMax?: number;
};

type Kept = {
  readonly revision: number;
  readonly askedAt: number;
  readonly tally: Promise<SharedTally>;
  isFromNode: boolean;
};

const pollsMaxDefault = 100_000;

/**
 * The board, asked for the same poll once in a while and not more. Those who ask meanwhile share the answer, so it never goes backwards for them. What this
 * process's own board answers is not kept: it costs nothing and is new.
 */
export function withResultCache(
  board: SharedBoard,
  { keptMs, pollsMax = pollsMaxDefault }: ResultCacheOptions,
): SharedBoard {
  if (keptMs === 0) return board;
  const kept = new Map<number, Kept>();

  async function ask(poll: Poll, askedAt: number): Promise<SharedTally> {
    const tally = board.read(poll);
    const entry: Kept = { revision: poll.revision, askedAt, tally, isFromNode: false };
    kept.delete(poll.pollNo);
    kept.set(poll.pollNo, entry);
    const [oldest] = kept.keys();
    if (kept.size > pollsMax && oldest !== undefined) kept.delete(oldest);
    const { servedVia } = await tally;
    entry.isFromNode = servedVia !== 'in_memory';
    if (!entry.isFromNode && kept.get(poll.pollNo) === entry) kept.delete(poll.pollNo);
    return tally;
  }

  return {
    ...board,
    async read(poll) {
      const at = performance.now();
      const found = kept.get(poll.pollNo);
      if (found === undefined || found.revision !== poll.revision || at - found.askedAt >= keptMs) return ask(poll, at);
      const { votesOf, servedVia } = await found.tally;
      return { votesOf, servedVia: found.isFromNode ? 'app_cache' : servedVia };
    },
    drop(poll) {
      kept.delete(poll.pollNo);
      board.drop(poll);
    },
  };
}
