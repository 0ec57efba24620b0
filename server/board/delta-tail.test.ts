import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TallyDelta } from '../tally/tally-change.ts';
import { createDeltaTail, withTail, type DeltaTail } from './delta-tail.ts';
import { createMemoryBoard } from './memory.ts';

const firstPoll = 1;
const secondPoll = 2;

function toDelta(slot: number, batchNo: number, votes = 1, batchCount = 1, pollNo = firstPoll): TallyDelta {
  const change = { pollNo, optionNo: 1, second: batchNo, votes, ballots: votes, changes: votes };
  return { slot, batchNo, batchCount, changes: [change, { ...change, optionNo: 0, votes: 0 }] };
}

function putAll(tail: DeltaTail, slot: number, batchNos: readonly number[]): void {
  for (const batchNo of batchNos) tail.put(toDelta(slot, batchNo, batchNo));
}

const votesBetween = (tail: DeltaTail, slot: number, afterNo: number, throughNo: number): number =>
  [...tail.between(slot, afterNo, throughNo)].reduce((sum, { votes }) => sum + votes, 0);

describe('the tail of the deltas', () => {
  test('tells what lies behind any batch that it took, and behind the one before its first', () => {
    const tail = createDeltaTail();
    putAll(tail, 1, [4, 5, 6]);
    expect([2, 3, 4, 5, 6, 7].map((no) => tail.reaches(1, no))).toEqual([false, true, true, true, true, false]);
    expect([3, 4, 5, 6].map((no) => votesBetween(tail, 1, no, 6))).toEqual([15, 11, 6, 0]);
    expect(votesBetween(tail, 1, 3, 5)).toBe(9);
    expect(tail.lastOf(1)).toBe(6);
    expect(tail.reaches(2, 0)).toBe(false);
  });

  test('cannot be entered in the middle of batches that came as one', () => {
    const tail = createDeltaTail();
    tail.put(toDelta(1, 2));
    tail.put(toDelta(1, 5, 1, 3));
    expect([1, 2, 3, 4, 5].map((no) => tail.reaches(1, no))).toEqual([true, true, false, false, true]);
  });

  test('begins a slot anew behind a gap, and takes no batch twice', () => {
    const tail = createDeltaTail();
    putAll(tail, 1, [1, 2, 2, 1]);
    expect(votesBetween(tail, 1, 0, 2)).toBe(3);
    tail.put(toDelta(1, 9));
    expect([0, 2, 8, 9].map((no) => tail.reaches(1, no))).toEqual([false, false, true, true]);
    expect(tail.votesBehind(firstPoll, () => 8)).toEqual(new Map([[1, 1]]));
  });

  test('is sealed as far as everybody was told, and not beyond what it has', () => {
    const tail = createDeltaTail();
    tail.seal(1, 3);
    expect(tail.sealedOf(1)).toBe(0);
    putAll(tail, 1, [4, 5, 6]);
    expect(tail.sealedOf(1)).toBe(3);
    tail.seal(1, 5);
    tail.seal(1, 4);
    expect(tail.sealedOf(1)).toBe(5);
    tail.seal(1, 99);
    expect(tail.sealedOf(1)).toBe(6);
  });

  test('forgets what it is told to and still reaches back to there', () => {
    const tail = createDeltaTail();
    putAll(tail, 1, [1, 2, 3]);
    putAll(tail, 2, [1, 2, 3]);
    tail.forgetThrough((slot) => (slot === 1 ? 2 : 99));
    expect([1, 2, 3].map((no) => tail.reaches(1, no))).toEqual([false, true, true]);
    expect([2, 3].map((no) => tail.reaches(2, no))).toEqual([false, true]);
    expect([tail.lastOf(1), tail.lastOf(2)]).toEqual([3, 3]);
    expect(tail.votesBehind(firstPoll, () => 0)).toEqual(new Map([[1, 3]]));
    tail.put(toDelta(2, 4));
    expect(tail.reaches(2, 3)).toBe(true);
  });

  test('never holds more than its limit: the oldest go, and whoever needs them is told that they are gone', () => {
    const tail = createDeltaTail(100);
    for (let batchNo = 1; batchNo <= 1_000; batchNo += 1) {
      tail.put(toDelta(1, batchNo));
      const held = votesBetween(tail, 1, 0, batchNo);
      expect(held).toBeLessThanOrEqual(100);
      expect(tail.reaches(1, batchNo - held)).toBe(true);
      expect(tail.reaches(1, batchNo - held - 1)).toBe(false);
      expect(tail.votesBehind(firstPoll, () => 0).get(1)).toBe(held);
    }
  });

  test('forgets a deleted poll and nothing else', () => {
    const tail = createDeltaTail();
    tail.put(toDelta(1, 1, 1));
    tail.put(toDelta(1, 2, 1, 1, secondPoll));
    tail.drop(firstPoll);
    expect(tail.votesBehind(firstPoll, () => 0).size).toBe(0);
    expect(tail.votesBehind(secondPoll, () => 0).size).toBe(1);
    expect(votesBetween(tail, 1, 0, 2)).toBe(1);
    expect(tail.reaches(1, 0)).toBe(true);
  });

  test('wherever it reaches, what is there and what it tells make the whole', () => {
    const steps = fc.array(
      fc.record({
        slot: fc.integer({ min: 1, max: 3 }),
        pollNo: fc.integer({ min: 1, max: 3 }),
        votes: fc.integer({ min: -3, max: 5 }),
        batchCount: fc.integer({ min: 1, max: 3 }),
        lost: fc.nat({ max: 20 }).map((number) => number === 0),
        forget: fc.nat({ max: 9 }).map((number) => number === 0),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const tail = createDeltaTail(20);
        const lastNos = new Map<number, number>();
        /** For each slot and each batch that ended there: the votes of each poll up to it. */
        const sums = new Map<string, number>();
        for (const { slot, pollNo, votes, batchCount, lost, forget } of all) {
          const before = lastNos.get(slot) ?? 0;
          const batchNo = before + batchCount;
          lastNos.set(slot, batchNo);
          for (const each of [1, 2, 3]) {
            const sum = sums.get(`${slot} ${before} ${each}`) ?? 0;
            sums.set(`${slot} ${batchNo} ${each}`, sum + (each === pollNo ? votes : 0));
          }
          if (!lost) tail.put(toDelta(slot, batchNo, votes, batchCount, pollNo));
          if (forget) tail.forgetThrough(() => before - 1);
        }
        for (const slot of tail.slots()) {
          const last = tail.lastOf(slot);
          for (let position = 0; position <= last; position += 1) {
            if (!tail.reaches(slot, position)) continue;
            for (const pollNo of [1, 2, 3]) {
              const there = sums.get(`${slot} ${position} ${pollNo}`) ?? 0;
              const behind = tail.votesBehind(pollNo, (each) => (each === slot ? position : Number.MAX_SAFE_INTEGER));
              expect(there + (behind.get(1) ?? 0)).toBe(sums.get(`${slot} ${last} ${pollNo}`) ?? 0);
            }
          }
        }
      }),
    );
  });
});

test('a board with a tail hands on exactly what it takes in itself', async () => {
  const tail = createDeltaTail();
  const board = withTail(
    createMemoryBoard(() => Promise.resolve({ batchNoBySlot: new Map([[1, 3]]), tallies: [], seconds: [] })),
    tail,
  );
  await board.load();
  expect(board.fold(toDelta(1, 3))).toBe('repeat');
  expect(board.fold(toDelta(1, 4, 1, 2))).toBe('gap');
  expect([...tail.slots()]).toEqual([]);
  expect(board.fold(toDelta(1, 4))).toBe('folded');
  expect(tail.reaches(1, 3)).toBe(true);
  expect(board.fold(toDelta(1, 7))).toBe('gap');
  expect([tail.lastOf(1), tail.reaches(1, 4), tail.reaches(1, 6)]).toEqual([7, false, true]);
  board.drop(firstPoll);
  expect(tail.votesBehind(firstPoll, () => 0).size).toBe(0);
});

test('a board with a gap is whole again when the ledger was read after it', async () => {
  let batchNo = 3;
  const board = withTail(
    createMemoryBoard(() => Promise.resolve({ batchNoBySlot: new Map([[1, batchNo]]), tallies: [], seconds: [] })),
    createDeltaTail(),
  );
  const before = board.load();
  expect(board.isWhole()).toBe(true);
  board.fold(toDelta(1, 7));
  await before;
  expect(board.isWhole()).toBe(false);
  batchNo = 7;
  await board.load();
  expect(board.isWhole()).toBe(true);
});
