import { expect, test } from 'vitest';
import { createBallotIds } from '../identity/ballot-ids.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import type { BallotOutcome } from '../ledger/ballots.ts';
import { createBallotStates } from './ballot-states.ts';

const ids = createBallotIds(Buffer.alloc(32, 3));
const acceptedAt = 1_700_000_000_000;
const id = ids.ofMoment(acceptedAt * 1_000);
const ballotId = toUuidText(id);
const counted: BallotOutcome = {
  ballotId,
  pollNo: 1,
  pollId: 'p',
  castAt: acceptedAt,
  version: 1,
  status: 'counted',
  selections: '1',
};

function createSample(answers: (BallotOutcome[] | Error)[] = [], held: readonly Buffer[] = [], settledThrough = 0) {
  const asked: (readonly string[])[] = [];
  const states = createBallotStates({
    findOutcomes(names) {
      asked.push(names);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? []);
    },
    isOnItsWay: ids.isOurs,
    holds: (each) => held.some((one) => one.equals(each)),
    settledThrough: () => settledThrough,
  });
  return { states, asked };
}

test('a ballot that the ledger does not know yet is received, if the id is one of ours', async () => {
  const { states } = createSample();
  expect(await states.read(ballotId)).toEqual({ ballotId, status: 'received', castAt: acceptedAt });
  expect(await createSample([], [id]).states.read(ballotId)).toMatchObject({ status: 'validating' });
  const keyed = toUuidText(ids.ofRetry('p', Buffer.alloc(16), Buffer.alloc(16)));
  expect(await states.read(keyed)).toEqual({ ballotId: keyed, status: 'received', castAt: null });
  for (const made of ['01a1fd15-579c-73d2-b53f-75f5800e4dbf', 'x', '', `${ballotId}0`]) {
    expect(await states.read(made)).toBeNull();
  }
});

test('what is decided goes before the id', async () => {
  expect(await createSample([[counted]]).states.read(ballotId)).toEqual(counted);
});

test('one look serves all who wait, and whoever waits too long hears nothing', async () => {
  const { states, asked } = createSample([[], new Error('away'), [counted]]);
  const other = toUuidText(ids.ofMoment(1));
  const waits = [
    states.outcomeOf(ballotId, acceptedAt, 10_000),
    states.outcomeOf(ballotId, acceptedAt, 10_000),
    states.outcomeOf(other, acceptedAt, 1),
  ];
  expect(await Promise.all(waits)).toEqual([counted, counted, null]);
  expect(asked[0]).toEqual([ballotId, other]);
});

test('what became of an earlier attempt with the same key is no answer to a later one', async () => {
  const refused: BallotOutcome = {
    ballotId,
    pollNo: 1,
    pollId: 'p',
    castAt: acceptedAt,
    status: 'failed',
    reason: 'internal',
  };
  const { states } = createSample([[refused], [refused], [{ ...refused, castAt: acceptedAt + 5 }]]);
  expect(await states.outcomeOf(ballotId, acceptedAt + 5, 10_000)).toMatchObject({ castAt: acceptedAt + 5 });
  expect(await createSample([[refused], [counted]]).states.outcomeOf(ballotId, acceptedAt + 5, 10_000)).toEqual(
    counted,
  );
});

test('a ballot of before the moment up to which all is settled, and not in the ledger, is gone', async () => {
  expect(await createSample([], [], acceptedAt + 1).states.read(ballotId)).toBeNull();
  expect(await createSample([], [], acceptedAt).states.read(ballotId)).toMatchObject({ status: 'received' });
});
