/** How a node stands to what this process knows, and whether what it says of a poll can be right. Values in, values out. */
import type { Poll } from '../poll/poll.ts';
import type { TailedBoard } from './delta-tail.ts';
import type { Position } from './redis-node.ts';

/**
 * `fits`: with the tail, the node's sums are what this process's board has. `behind`: the tail does not reach back so far. `ahead`: another
 * process has counted what this one has not heard of yet. `other`: the sums are of another ledger or ring, or there are none.
 * `newer`: they are of a ring that this process has not taken over yet.
 */
export type Standing = 'fits' | 'behind' | 'ahead' | 'other' | 'newer';

export type Known = {
  readonly epoch: string;
  readonly generation: number;
  readonly board: TailedBoard;
  readonly now: () => number;
};

export function judgePosition(position: Position, { epoch, generation, board }: Omit<Known, 'now'>): Standing {
  if (position.epoch !== epoch || position.generation < generation) return 'other';
  if (position.generation > generation) return 'newer';
  if (findBehind(position, board).length > 0) return 'behind';
  return [...position.batchNoBySlot].some(([slot, batchNo]) => batchNo > board.batchNoOf(slot)) ? 'ahead' : 'fits';
}

/** The slots in which the node lacks batches that the tail cannot tell. */
export function findBehind({ batchNoBySlot }: Position, { tail, batchNos }: TailedBoard): number[] {
  const behind: number[] = [];
  for (const [slot, here] of batchNos()) {
    const there = batchNoBySlot.get(slot) ?? 0;
    if (there < here && (tail.lastOf(slot) !== here || !tail.reaches(slot, there))) behind.push(slot);
  }
  return behind;
}

/** Whether some slot is at an earlier batch than before: the node has lost something. */
export function wentBack(before: Position | null, now: Position): boolean {
  if (before === null) return false;
  return [...before.batchNoBySlot].some(([slot, batchNo]) => (now.batchNoBySlot.get(slot) ?? 0) < batchNo);
}

export function hasMoved(before: Position | null, now: Position): boolean {
  return before === null || [...now.batchNoBySlot].some(([slot, no]) => before.batchNoBySlot.get(slot) !== no);
}

/**
 * The votes of a poll from a node that fits: its sums and what the tail has behind them. They must be what this process's own board
 * says at this moment; null where they are not, and then somebody has changed the node.
 */
export function addTail(
  poll: Poll,
  votes: ReadonlyMap<string, string>,
  { batchNoBySlot }: Position,
  { board, now }: Known,
): ReadonlyMap<string, number> | null {
  const behind = board.tail.votesBehind(poll.pollNo, (slot) => batchNoBySlot.get(slot) ?? 0);
  const own = board.votesByOption(poll.pollNo, 'all', now());
  const sums = new Map<string, number>();
  for (const { id, optionNo } of poll.options) {
    const sum = Number(votes.get(id) ?? 0) + (behind.get(optionNo) ?? 0);
    if (sum !== (own[optionNo] ?? 0)) return null;
    sums.set(id, sum);
  }
  return sums;
}
