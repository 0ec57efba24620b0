/** The results of the contract `election`: from the board, or for a while from the memory that all servers share. */
import type { HttpParts } from '../http/parts.ts';
import type { Logger } from '../lib/logger.ts';
import type { SharedMemory } from '../ops/shared-memory.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';

export type CandidateResult = { readonly candidate_id: string; readonly name: string; readonly vote_count: number };
export type ElectionResults = {
  /** Most votes first, ties by name. */
  readonly results: readonly CandidateResult[];
  readonly lastUpdatedMs: number;
};

/** null where the poll hides its results. */
export type ReadElectionResults = (poll: Poll) => Promise<ElectionResults | null> | ElectionResults | null;

type ResultsParts = Pick<HttpParts, 'results'>;

export function createBoardResults({ results }: ResultsParts): ReadElectionResults {
  return (poll) => {
    const tally = results.tallyOf(poll, anyone);
    if (tally === null) return null;
    const counted = poll.options.map(({ id, text, optionNo }) => ({
      candidate_id: id,
      name: text,
      vote_count: tally.votesOf(optionNo),
    }));
    return { results: counted.sort(byVotesThenName), lastUpdatedMs: results.now() };
  };
}

/** By code points and not by a language, so that every server has the same order. */
function byVotesThenName(a: CandidateResult, b: CandidateResult): number {
  return b.vote_count - a.vote_count || (a.name < b.name ? -1 : Number(a.name > b.name));
}

type CacheParts = ResultsParts & { readonly memory: SharedMemory; readonly log: Logger };

/** Never older than `ttlSeconds`, and no older than the poll's last change. Without the memory, results come from the board. */
export function createCachedResults({ results, memory, log }: CacheParts, ttlSeconds: number): ReadElectionResults {
  const readBoard = createBoardResults({ results });

  async function readKept(key: string): Promise<ElectionResults | null> {
    const text = await memory.read(key);
    if (text === null) return null;
    const kept = JSON.parse(text) as ElectionResults; // Only this file writes under this key.
    return results.now() - kept.lastUpdatedMs < ttlSeconds * 1_000 ? kept : null;
  }

  return async (poll) => {
    // What a poll hides it hides here, too, and at once.
    if (results.tallyOf(poll, anyone) === null) return null;
    const key = `results:${poll.id}:${poll.revision}`;
    try {
      const kept = await readKept(key);
      if (kept !== null) return kept;
      const fresh = await readBoard(poll);
      if (fresh !== null) await memory.write(key, JSON.stringify(fresh), ttlSeconds);
      return fresh;
    } catch (error) {
      log.debug({ err: error }, 'results read without shared memory');
      return readBoard(poll);
    }
  };
}
