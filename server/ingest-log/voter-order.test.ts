import { expect, test } from 'vitest';
import type { Ballot } from '../poll/ballot.ts';
import { makeBallot, makePoll, toKey } from '../poll/test-support.ts';
import { createVoterOrder } from './voter-order.ts';

const poll = makePoll();
const voterKey = toKey(7);

test('a later ballot of a voter follows the first one, and a retry of that follows nothing', () => {
  const order = createVoterOrder();
  const first = makeBallot(poll, 1, { voterKey });
  expect(order.take(first)).toBeNull();
  expect(order.take(makeBallot(poll, 2, { voterKey }))).toEqual(first.id);
  expect(order.take(makeBallot(poll, 3, { voterKey }))).toEqual(first.id);
  expect(order.take(first)).toBeNull();
  expect(order.take(makeBallot(poll, 4))).toBeNull();
  expect(order.take(makeBallot(makePoll({ pollNo: 2 }), 5, { voterKey }))).toBeNull();
});

test('where ballots replace each other, and where there are no voters, nothing is followed', () => {
  const order = createVoterOrder();
  for (const change of [{ revote: 'replace' }, { electorate: 'open' }] as const) {
    for (const no of [1, 2]) expect(order.take(makeBallot(makePoll(change), no, { voterKey }))).toBeNull();
  }
});

test('voters of late are remembered, and not all there ever were', () => {
  const order = createVoterOrder();
  const first = makeBallot(poll, 1, { voterKey });
  order.take(first);
  for (let no = 2; no <= 100_002; no += 1) order.take(makeBallot(poll, no));
  expect(order.take(makeBallot(poll, 900_001, { voterKey }))).toEqual(first.id);
  for (let no = 200_000; no <= 400_000; no += 1) order.take(makeBallot(poll, no));
  expect(order.take(makeBallot(poll, 900_002, { voterKey }))).toBeNull();
});

test('nobody follows a ballot that the log may not have', () => {
  const order = createVoterOrder();
  const [first, second] = [1, 2].map((no) => makeBallot(poll, no, { voterKey })) as [Ballot, Ballot]; // Of two numbers.
  order.take(first);
  order.forget(second);
  expect(order.take(second)).toEqual(first.id);
  order.forget(first);
  expect(order.take(second)).toBeNull();
  expect(order.take(makeBallot(poll, 3, { voterKey }))).toEqual(second.id);
});
