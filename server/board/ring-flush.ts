/** What a node lacks, gathered from the tail: one step that brings it up to date. */
import type { Poll } from '../poll/poll.ts';
import type { DeltaTail, TailChange } from './delta-tail.ts';
import type { Flush, Increment, Position } from './redis-node.ts';
import { boardKeyOf } from './shared-board.ts';

export type PollNames = {
  /** The poll, if it is at hand. */
  peekPoll(pollNo: number): Poll | undefined;
  /** The poll as the ledger has it; null where it was deleted. */
  findPoll(pollNo: number): Promise<Poll | null>;
};

export type FlushFrom = {
  readonly position: Position;
  /** Whether batches go along of which the other processes have not been told. */
  readonly unsealed: boolean;
  readonly isHere: (key: string) => boolean;
};

export type GatheredFlush = { readonly flush: Flush; readonly polls: number; readonly votes: number };

/** Answers null where the node lacks nothing that the tail could tell. A slot that the tail cannot tell is left out. */
export async function gatherFlush(
  tail: DeltaTail,
  names: PollNames,
  { position, unsealed, isHere }: FlushFrom,
): Promise<GatheredFlush | null> {
  const slots: { slot: number; fromNo: number; toNo: number }[] = [];
  const sums = new Map<number, Map<number, number>>();
  for (const slot of tail.slots()) {
    const fromNo = position.batchNoBySlot.get(slot) ?? 0;
    const toNo = unsealed ? tail.lastOf(slot) : tail.sealedOf(slot);
    if (fromNo >= toNo || !tail.reaches(slot, fromNo)) continue;
    slots.push({ slot, fromNo, toNo });
    for (const change of tail.between(slot, fromNo, toNo)) addChange(sums, change);
  }
  if (slots.length === 0) return null;
  const increments: Increment[] = [];
  for (const [pollNo, byOption] of sums) increments.push(...(await toIncrements(pollNo, byOption, names, isHere)));
  return {
    flush: { epoch: position.epoch, generation: position.generation, slots, increments },
    polls: new Set(increments.map(({ key }) => key)).size,
    votes: increments.reduce((sum, { votes }) => sum + votes, 0),
  };
}

function addChange(sums: Map<number, Map<number, number>>, { pollNo, optionNo, votes }: TailChange): void {
  const byOption = sums.get(pollNo) ?? new Map<number, number>();
  byOption.set(optionNo, (byOption.get(optionNo) ?? 0) + votes);
  sums.set(pollNo, byOption);
}

async function toIncrements(
  pollNo: number,
  byOption: ReadonlyMap<number, number>,
  { peekPoll, findPoll }: PollNames,
  isHere: (key: string) => boolean,
): Promise<Increment[]> {
  const hasAll = (poll: Poll | undefined): boolean =>
    poll !== undefined && [...byOption.keys()].every((optionNo) => poll.options[optionNo - 1] !== undefined);
  const known = peekPoll(pollNo);
  // An option may be newer than the poll at hand.
  const poll = hasAll(known) ? known : await findPoll(pollNo);
  // Of a deleted poll nothing is kept anywhere.
  if (poll === null || poll === undefined) return [];
  const key = boardKeyOf(poll);
  if (!isHere(key)) return [];
  return [...byOption].flatMap(([optionNo, votes]) => {
    const option = poll.options[optionNo - 1];
    if (option === undefined) throw new Error(`Poll ${poll.id} has votes for an option that it has not.`);
    return votes === 0 ? [] : [{ key, field: option.id, votes }];
  });
}
