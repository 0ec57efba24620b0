import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Revote } from '../poll/poll.ts';
import { makeBallot, makePoll, toKey } from '../poll/test-support.ts';
import { takeBatch, type Waiting } from './batch.ts';

const settle = (): void => undefined;

function waitingOf(revote: Revote, ...places: [pollNo: number, voterNo: number][]): Waiting[] {
  return places.map(([pollNo, voterNo], index) => ({
    ballot: makeBallot(makePoll({ pollNo, revote }), index + 1, { voterKey: toKey(voterNo) }),
    settle,
  }));
}

const idsOf = (list: readonly Waiting[]): number[] => list.map(({ ballot }) => ballot.id.readUIntBE(10, 6));

test('a batch is sorted by poll, voter and acceptance, and the rest waits as it came', () => {
  const queue = waitingOf('refuse', [2, 1], [1, 9], [1, 3], [1, 3], [1, 1]);
  expect(idsOf(takeBatch(queue, 'refuse', 4))).toEqual([3, 4, 2, 1]);
  expect(idsOf(queue)).toEqual([5]);
  expect(idsOf(takeBatch(queue, 'refuse', 4))).toEqual([5]);
  expect(takeBatch(queue, 'refuse', 4)).toEqual([]);
});

test('where ballots replace each other the second one of a voter goes back to the head of the queue', () => {
  const queue = waitingOf('replace', [1, 5], [1, 4], [1, 5], [1, 4], [1, 5], [2, 5], [1, 1]);
  expect(idsOf(takeBatch(queue, 'replace', 6))).toEqual([2, 1, 6]);
  expect(idsOf(queue)).toEqual([3, 4, 5, 7]);
  expect(idsOf(takeBatch(queue, 'replace', 6))).toEqual([7, 4, 3]);
  expect(idsOf(takeBatch(queue, 'replace', 6))).toEqual([5]);
});

test('every ballot leaves the queue once, a voter in the order of acceptance', () => {
  const place = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 4 }));
  fc.assert(
    fc.property(fc.array(place, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (places, ballotsMax) => {
      const queue = waitingOf('replace', ...places);
      const taken: Waiting[] = [];
      while (queue.length > 0) {
        const batch = takeBatch(queue, 'replace', ballotsMax);
        const voters = batch.map(({ ballot }) => `${ballot.poll.pollNo} ${ballot.voterKey.toString('hex')}`);
        expect(new Set(voters).size).toBe(voters.length);
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(ballotsMax);
        taken.push(...batch);
      }
      expect(idsOf(taken).sort((a, b) => a - b)).toEqual(places.map((_, index) => index + 1));
      for (const same of Map.groupBy(
        taken,
        ({ ballot }) => `${ballot.poll.pollNo} ${String(ballot.voterKey)}`,
      ).values())
        expect(idsOf(same)).toEqual(idsOf(same).toSorted((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});

test('a ballot that was delivered twice is in a batch once, wherever its voter has others, and comes again in the next', () => {
  const poll = makePoll();
  const deliver = (no: number, acceptedUs: number): Waiting => ({
    ballot: makeBallot(poll, no, { voterKey: toKey(7), acceptedUs }),
    settle: () => undefined,
  });
  const queue = [deliver(3, 30), deliver(1, 20), deliver(2, 10), deliver(3, 5), deliver(1, 20)];
  expect(idsOf(takeBatch(queue, 'refuse', 10))).toEqual([3, 2, 1]);
  expect(idsOf(takeBatch(queue, 'refuse', 10))).toEqual([1, 3]);
  expect(queue).toEqual([]);
});
