/**
 * The tail of the deltas: what the process's own board has taken in and the nodes of the shared board may not hold yet, batch by batch.
 *
 * Positions, not counters: a node says up to which batch of each slot it is, and the tail says what comes behind that. Where it does not reach
 * back so far, or where the position lies inside of deltas that came as one, it says so, and nobody has to guess.
 *
 * A delta is sealed when the other processes have been told of it. Theirs come several in one, and only where such a piece ends
 * can all of them go on; so flushes end there. Limits: `changesMax` changes; beyond them the oldest go.
 */
import type { TallyDelta } from '../tally/tally-change.ts';
import type { TallyBoard } from './tally-board.ts';

export type TailChange = { readonly pollNo: number; readonly optionNo: number; readonly votes: number };
export type PositionOf = (slot: number) => number;

export type DeltaTail = {
  /** Takes the next delta of a slot. One that leaves a gap begins the slot anew, a repeat changes nothing. */
  put(delta: TallyDelta): void;
  /** Everybody has been told of the slot's batches up to this one. */
  seal(slot: number, batchNo: number): void;
  /** The slots of which it has ever seen a delta. */
  slots(): Iterable<number>;
  /** The last batch of a slot that it holds, or held before it was told to forget it; 0 where it knows none. */
  lastOf(slot: number): number;
  /** The last one that is sealed. */
  sealedOf(slot: number): number;
  /** Whether it can tell everything behind this batch. */
  reaches(slot: number, batchNo: number): boolean;
  /** The changes behind one batch, up to and including another. Only where it reaches. */
  between(slot: number, afterNo: number, throughNo: number): Iterable<TailChange>;
  /** The votes for each option of a poll behind these positions. Only where it reaches. */
  votesBehind(pollNo: number, positionOf: PositionOf): ReadonlyMap<number, number>;
  /** Nobody will ask for what is at or before these positions. */
  forgetThrough(positionOf: PositionOf): void;
  /** Forgets a poll that was deleted. */
  drop(pollNo: number): void;
};

type Entry = { readonly batchNo: number; changes: readonly TailChange[] };
type Slot = { afterNo: number; sealedNo: number; readonly entries: Entry[] };
type Piece = TailChange & { readonly slot: number; readonly batchNo: number };

/** Ten seconds of 20 batches a second in which a thousand polls change; about 50 MB at most. */
const changesMaxDefault = 200_000;
/** When it is full, it makes room for a while: forgetting goes through the polls that it touches. */
const keptPart = 0.75;

export function createDeltaTail(changesMax = changesMaxDefault): DeltaTail {
  const slots = new Map<number, Slot>();
  const pieces = createPieces();
  let changeCount = 0;

  function forget(no: number, slot: Slot, count: number): void {
    if (count === 0) return;
    const gone = slot.entries.splice(0, count);
    slot.afterNo = gone.at(-1)?.batchNo ?? slot.afterNo;
    slot.sealedNo = Math.max(slot.sealedNo, slot.afterNo);
    changeCount -= countChanges(gone);
    pieces.forget(no, slot.afterNo, gone);
  }

  /** The slot, ready for a batch of this number. */
  function slotBefore(no: number, firstNo: number): Slot {
    let slot = slots.get(no);
    if (slot !== undefined && lastNoOf(slot) !== firstNo - 1) {
      forget(no, slot, slot.entries.length);
      slot = undefined;
    }
    if (slot === undefined) {
      slot = { afterNo: firstNo - 1, sealedNo: firstNo - 1, entries: [] };
      slots.set(no, slot);
    }
    return slot;
  }

  function makeRoom(no: number, slot: Slot): void {
    if (changeCount <= changesMax) return;
    let left = changeCount;
    const index = slot.entries.findIndex((entry) => (left -= entry.changes.length) <= changesMax * keptPart);
    forget(no, slot, index < 0 ? slot.entries.length : index + 1);
  }

  return {
    put(delta) {
      const { slot: no, batchNo, batchCount = 1 } = delta;
      if (batchNo <= lastNoOf(slots.get(no))) return;
      const slot = slotBefore(no, batchNo - batchCount + 1);
      const changes = sumChanges(delta);
      slot.entries.push({ batchNo, changes });
      pieces.add(no, batchNo, changes);
      changeCount += changes.length;
      makeRoom(no, slot);
    },
    seal(no, batchNo) {
      const slot = slots.get(no);
      if (slot !== undefined) slot.sealedNo = Math.max(slot.sealedNo, Math.min(batchNo, lastNoOf(slot)));
    },
    slots: () => slots.keys(),
    lastOf: (no) => lastNoOf(slots.get(no)),
    sealedOf: (no) => slots.get(no)?.sealedNo ?? 0,
    reaches(no, batchNo) {
      const slot = slots.get(no);
      return slot !== undefined && (slot.afterNo === batchNo || lastNoOf(slot) === batchNo || hasEnd(slot, batchNo));
    },
    *between(no, afterNo, throughNo) {
      for (const { batchNo, changes } of slots.get(no)?.entries ?? []) {
        if (batchNo > afterNo && batchNo <= throughNo) yield* changes;
      }
    },
    votesBehind: pieces.votesBehind,
    forgetThrough(positionOf) {
      for (const [no, slot] of slots) forget(no, slot, countThrough(slot, positionOf(no)));
    },
    drop(pollNo) {
      pieces.drop(pollNo);
      for (const { entries } of slots.values()) {
        for (const entry of entries) entry.changes = entry.changes.filter((change) => change.pollNo !== pollNo);
      }
      changeCount = [...slots.values()].reduce((sum, { entries }) => sum + countChanges(entries), 0);
    },
  };
}

/** The same changes by poll, for reads of one poll. */
function createPieces() {
  const byPoll = new Map<number, Piece[]>();

  return {
    add(slot: number, batchNo: number, changes: readonly TailChange[]): void {
      for (const change of changes) {
        const piece = { slot, batchNo, ...change };
        const known = byPoll.get(change.pollNo);
        if (known === undefined) byPoll.set(change.pollNo, [piece]);
        else known.push(piece);
      }
    },
    /** What a slot has up to a batch: `gone` says of which polls. */
    forget(slot: number, throughNo: number, gone: readonly Entry[]): void {
      for (const pollNo of new Set(gone.flatMap(({ changes }) => changes.map((change) => change.pollNo)))) {
        const kept = byPoll.get(pollNo)?.filter((piece) => piece.slot !== slot || piece.batchNo > throughNo) ?? [];
        if (kept.length === 0) byPoll.delete(pollNo);
        else byPoll.set(pollNo, kept);
      }
    },
    drop(pollNo: number): void {
      byPoll.delete(pollNo);
    },
    votesBehind(pollNo: number, positionOf: PositionOf): ReadonlyMap<number, number> {
      const votes = new Map<number, number>();
      for (const piece of byPoll.get(pollNo) ?? []) {
        if (piece.batchNo <= positionOf(piece.slot)) continue;
        votes.set(piece.optionNo, (votes.get(piece.optionNo) ?? 0) + piece.votes);
      }
      return votes;
    },
  };
}

export type TailedBoard = TallyBoard & {
  readonly tail: DeltaTail;
};

/** The board, with a tail that takes whatever the board takes. */
export function withTail(board: TallyBoard, tail: DeltaTail): TailedBoard {
  return {
    ...board,
    tail,
    fold(delta) {
      const isNew = delta.batchNo - (delta.batchCount ?? 1) >= board.batchNoOf(delta.slot);
      const folded = board.fold(delta);
      if (isNew) tail.put(delta);
      return folded;
    },
    drop(pollNo) {
      board.drop(pollNo);
      tail.drop(pollNo);
    },
  };
}

function lastNoOf(slot: Slot | undefined): number {
  return slot?.entries.at(-1)?.batchNo ?? slot?.afterNo ?? 0;
}

function countChanges(entries: readonly Entry[]): number {
  return entries.reduce((sum, { changes }) => sum + changes.length, 0);
}

function countThrough({ entries }: Slot, position: number): number {
  const index = entries.findIndex(({ batchNo }) => batchNo > position);
  return index < 0 ? entries.length : index;
}

/** Whether some entry ends with this batch. */
function hasEnd({ entries }: Slot, batchNo: number): boolean {
  let low = 0;
  let high = entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = entries[middle]?.batchNo ?? 0;
    if (found === batchNo) return true;
    if (found < batchNo) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** Without the seconds, and without blank ballots, which are no votes for anything. */
function sumChanges({ changes }: TallyDelta): TailChange[] {
  const sums = new Map<string, { pollNo: number; optionNo: number; votes: number }>();
  for (const { pollNo, optionNo, votes } of changes) {
    if (optionNo === 0) continue;
    const key = `${pollNo} ${optionNo}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { pollNo, optionNo, votes });
    else sum.votes += votes;
  }
  return [...sums.values()].filter(({ votes }) => votes !== 0);
}
