import { expect, test } from 'vitest';
import { toUuidText } from '../lib/uuid-v7.ts';
import { createFollowers } from './followers.ts';

const toId = (no: number): Buffer => Buffer.alloc(16, no);

function createSample(segmentsMax = 10) {
  const decided = new Set<string>();
  const went: number[] = [];
  const looks: (readonly string[])[] = [];
  const state = { failuresLeft: 0 };
  const followers = createFollowers({
    findDecided(ballotIds) {
      looks.push(ballotIds);
      state.failuresLeft -= 1;
      if (state.failuresLeft >= 0) return Promise.reject(new Error('The ledger is away.'));
      return Promise.resolve(ballotIds.filter((ballotId) => decided.has(ballotId)));
    },
    segmentsMax,
  });
  const follow = (no: number, segment: object = {}): void =>
    void followers.awaitDecision(toId(no), segment).then(() => went.push(no));
  const decide = (no: number): void => void decided.add(toUuidText(toId(no)));
  return { follow, decide, went, looks, state };
}

test('those who wait for the same ballot go on together when it is decided, and one look serves all', async () => {
  const { follow, decide, went, looks } = createSample();
  for (const no of [1, 2, 2]) follow(no);
  await expect.poll(() => looks.at(-1)?.toSorted()).toEqual([1, 2].map((no) => toUuidText(toId(no))));
  expect(went).toEqual([]);
  decide(2);
  await expect.poll(() => went).toEqual([2, 2]);
  decide(1);
  await expect.poll(() => went).toEqual([2, 2, 1]);
});

test('where ballots of too many segments wait, those of the segment that has waited longest go on', async () => {
  const { follow, decide, went } = createSample(2);
  const [first, second] = [{}, {}];
  follow(1, first);
  follow(2, second);
  follow(3, first);
  follow(4, second);
  expect(went).toEqual([]);
  follow(5);
  await expect.poll(() => went).toEqual([1, 3]);
  decide(2);
  await expect.poll(() => went).toEqual([1, 3, 2]);
  follow(6);
  await expect.poll(() => went).toEqual([1, 3, 2, 4]);
});

test('a segment with thousands of ballots that wait lets all of them go when they are decided', async () => {
  const { follow, decide, went, looks } = createSample();
  const segment = {};
  for (let no = 0; no < 3_000; no += 1) follow(no % 250, segment);
  for (let no = 0; no < 250; no += 1) decide(no);
  await expect.poll(() => went.length).toBe(3_000);
  expect(Math.max(...looks.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
});

test('a ledger that is away lets nobody go', async () => {
  const { follow, decide, went, looks, state } = createSample();
  state.failuresLeft = 3;
  decide(1);
  follow(1);
  await expect.poll(() => went).toEqual([1]);
  expect(looks).toHaveLength(4);
});
