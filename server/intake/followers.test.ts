import { expect, test } from 'vitest';
import { toUuidText } from '../lib/uuid-v7.ts';
import { createFollowers } from './followers.ts';

const toId = (no: number): Buffer => Buffer.alloc(16, no);

function createSample(followersMax = 10) {
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
    followersMax,
  });
  const follow = (no: number): void => void followers.awaitDecision(toId(no)).then(() => went.push(no));
  const decide = (no: number): void => void decided.add(toUuidText(toId(no)));
  return { follow, decide, went, looks, state };
}

test('those who wait for the same ballot go on together when it is decided, and one look serves all', async () => {
  const { follow, decide, went, looks } = createSample();
  [1, 2, 2].forEach(follow);
  await expect.poll(() => looks.at(-1)).toEqual([1, 2].map((no) => toUuidText(toId(no))));
  expect(went).toEqual([]);
  decide(2);
  await expect.poll(() => went).toEqual([2, 2]);
  decide(1);
  await expect.poll(() => went).toEqual([2, 2, 1]);
});

test('where too many wait, the one that has waited longest goes on', async () => {
  const { follow, went } = createSample(2);
  [1, 2, 3].forEach(follow);
  await expect.poll(() => went).toEqual([1]);
});

test('a ledger that is away lets nobody go', async () => {
  const { follow, decide, went, looks, state } = createSample();
  state.failuresLeft = 3;
  decide(1);
  follow(1);
  await expect.poll(() => went).toEqual([1]);
  expect(looks).toHaveLength(4);
});
