/**
 * The shared board shows votes outside of the processes, where other programs can read them, too. It is never the truth and never the newest:
 * every process holds a tally board of its own (tally-board.ts), and the shared one follows it at its own pace.
 *
 * Reads: never below what this process had counted when the read began, never above what the ledger holds, and never backwards for those who ask
 * one process. Whatever happens to the nodes, a read is answered, by this process's own board if need be: `servedVia` says by whom.
 * Order and repeats: each batch is in a node's sums exactly once, however often a flush is tried again and whoever else flushes.
 * Loss: a node that lost something is filled again from the ledger by itself. Nothing of it delays the counting of ballots.
 */
import type { Poll } from '../poll/poll.ts';
import type { TallyBoard } from './tally-board.ts';

export type SharedTally = {
  /** 0 for an option that nobody has voted for, or that there is not. */
  votesOf(optionId: string): number;
  /** `redis_<port>` for a node, `app_cache` for an answer given again, `in_memory` for this process's own board. */
  readonly servedVia: string;
};

export type NodeState = 'ready' | 'unfit' | 'away';

export type SharedBoard = {
  /** The votes of a poll. Whether the reader may see them is for the caller to ask. Never rejects. */
  read(poll: Poll): Promise<SharedTally>;
  /** How this process stands with each node (redis-ring.ts); empty without nodes. */
  nodeStates(): readonly NodeState[];
  /** Brings what this process has counted to the nodes now, as far as they are there. Never rejects. */
  flushNow(): Promise<void>;
  /** Forgets a poll that was deleted. */
  drop(poll: Poll): void;
  /** Flushes for the last time and ends the connections. */
  close(): Promise<void>;
};

/** What a poll is called on the nodes: `poll:<key>` is its hash there, and the key alone decides the node. Votes that made a poll named it. */
export function boardKeyOf(poll: Pick<Poll, 'id' | 'madeAs'>): string {
  return poll.madeAs ?? poll.id;
}

/** Where no node is named, each process answers from its own board. */
export function createUnsharedBoard(board: Pick<TallyBoard, 'votesByOption'>, now: () => number): SharedBoard {
  return {
    read: (poll) => Promise.resolve(toOwnTally(board, poll, now())),
    nodeStates: () => [],
    flushNow: () => Promise.resolve(),
    drop: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** As the board shows the poll at this moment; later votes do not change it. */
export function toOwnTally(board: Pick<TallyBoard, 'votesByOption'>, poll: Poll, now: number): SharedTally {
  const own = board.votesByOption(poll.pollNo, 'all', now);
  const votes = new Map(poll.options.map(({ id, optionNo }) => [String(id), own[optionNo] ?? 0]));
  return { votesOf: (optionId) => votes.get(optionId) ?? 0, servedVia: 'in_memory' };
}
