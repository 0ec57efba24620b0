/** What a process's board holds at one moment, by the names that polls and options have on the nodes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Poll } from '../poll/poll.ts';
import type { TailedBoard } from './delta-tail.ts';
import { boardKeyOf } from './shared-board.ts';

/** The votes of a poll, by option. */
export type Sums = readonly (readonly [field: string, votes: number])[];

/** What stands on a node for a poll. */
export type PollCopy = { readonly pollNo: number; readonly sums: Sums };

export type BoardCopy = {
  /** The last batch of each slot that the sums contain. */
  readonly batchNoBySlot: ReadonlyMap<number, number>;
  /** By the keys of the polls; those without votes are left out. */
  readonly polls: ReadonlyMap<string, PollCopy>;
};

export type BoardNames = { readonly pollNo: number; readonly key: string; readonly optionIds: readonly string[] };

export type CopyParts = {
  readonly board: TailedBoard;
  readonly now: () => number;
  readonly peekPoll: (pollNo: number) => Poll | undefined;
  /** The names of polls that are not at hand; of deleted ones nothing. */
  readonly readNames: (pollNos: readonly number[]) => Promise<readonly BoardNames[]>;
};

type Votes = readonly (number | undefined)[];

/** Between two turns of other work. */
const pollsPerTurn = 1_000;

/**
 * Answers null while the board is not whole. The votes are copied at once, which is quick; naming them takes its time.
 * A board was read from the ledger and has followed it since, so this is the ledger as of the batches that it names.
 */
export async function copyBoard({ board, now, peekPoll, readNames }: CopyParts): Promise<BoardCopy | null> {
  if (!board.isWhole()) return null;
  const batchNoBySlot = new Map(board.batchNos());
  const copied: [pollNo: number, votes: Votes][] = [];
  for (const pollNo of board.pollNos()) copied.push([pollNo, board.votesByOption(pollNo, 'all', now()).slice()]);
  const unnamed = copied.filter(([pollNo, votes]) => toNames(peekPoll(pollNo), votes) === null);
  const read = unnamed.length === 0 ? [] : await readNames(unnamed.map(([pollNo]) => pollNo));
  const readByNo = new Map(read.map((names) => [names.pollNo, names]));
  const polls = new Map<string, PollCopy>();
  for (const [index, [pollNo, votes]] of copied.entries()) {
    if (index % pollsPerTurn === 0) await nextTurn();
    const names = toNames(peekPoll(pollNo), votes) ?? readByNo.get(pollNo);
    const sums = names === undefined ? [] : toSums(votes, names);
    if (names !== undefined && sums.length > 0) polls.set(names.key, { pollNo, sums });
  }
  return { batchNoBySlot, polls };
}

/** null where the poll is not at hand, or an option that has votes is newer than what is. */
function toNames(poll: Poll | undefined, votes: Votes): BoardNames | null {
  if (poll === undefined || votes.length > poll.options.length + 1) return null;
  return { pollNo: poll.pollNo, key: boardKeyOf(poll), optionIds: poll.options.map(({ id }) => id) };
}

function toSums(votes: Votes, { optionIds }: BoardNames): Sums {
  return optionIds.flatMap((id, index) => {
    const count = votes[index + 1] ?? 0;
    return count === 0 ? [] : [[id, count] as const];
  });
}
