import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { createKeyMaker } from '../identity/voter-key.ts';
import type { IngestLog, Outcome } from '../ingest-log/ingest-log.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import type { Ballot } from '../poll/ballot.ts';
import { makePoll, toKey } from '../poll/test-support.ts';
import type { PollStatus } from '../poll/schedule.ts';
import { createCastBallot, type CastRequest, type CastResult } from './cast-ballot.ts';

const castAt = 1_700_000_000_000;
const counted: Outcome = { kind: 'counted', castAt, version: 5 };
const makeKey = createKeyMaker(Buffer.alloc(32, 1));
const poll = makePoll();
const request: CastRequest = {
  poll,
  voter: { kind: 'declared', userId: 'alice' },
  optionIds: ['2'],
  idempotencyKey: 'key',
};

/** Casts one ballot at a log that answers as the test says, and tells what the log was given. */
async function cast(
  change: Partial<CastRequest> = {},
  outcomeOf: Outcome | ((ballot: Ballot) => Outcome) = counted,
  status: PollStatus = 'open',
): Promise<{ result: CastResult; appended: Ballot[] }> {
  const appended: Ballot[] = [];
  const ingestLog: IngestLog = {
    append(ballot, settle) {
      appended.push(ballot);
      queueMicrotask(() => settle(typeof outcomeOf === 'function' ? outcomeOf(ballot) : outcomeOf));
    },
    drain: () => Promise.resolve(),
    settledThrough: () => castAt,
    waitingCount: () => 0,
  };
  const castBallot = createCastBallot({
    ingestLog,
    makeKey,
    makeBallotId: () => toKey(77),
    askAgain: (asked) => Promise.resolve({ poll: asked, status }),
  });
  let returned = false;
  const result = new Promise<CastResult>((resolve, reject) => {
    castBallot({ ...request, ...change }, (each) => {
      if (returned) resolve(each);
      else reject(new Error('it answered before it returned'));
    });
  });
  returned = true;
  return { result: await result, appended };
}

async function refusalOf(...args: Parameters<typeof cast>): Promise<AppError> {
  const { result } = await cast(...args);
  if (result instanceof AppError) return result;
  throw new Error('the ballot was accepted');
}

const standsWith = (change: Partial<Extract<Outcome, { kind: 'stands' }>> = {}): Outcome => ({
  kind: 'stands',
  standing: { ballotId: toUuidText(toKey(5)), castAt, version: 3 },
  retryKey: toUuidText(makeKey('retry', poll.id, 'key')),
  selections: '2',
  ...change,
});

test('a counted ballot gets a receipt', async () => {
  const { result, appended } = await cast();
  expect(result).toEqual({ ballotId: toUuidText(toKey(77)), pollId: poll.id, castAt, version: 5 });
  expect(appended).toEqual([
    {
      poll,
      id: toKey(77),
      voterKey: makeKey('declared', poll.id, 'alice'),
      retryKey: makeKey('retry', poll.id, 'key'),
      selections: [2],
    },
  ]);
});

test('a voter is known by what the electorate asks for, and nothing else', async () => {
  const cookiePoll = makePoll({ electorate: 'cookie' });
  const voter = { kind: 'cookie', voterId: 'v' } as const;
  expect((await cast({ poll: cookiePoll, voter, idempotencyKey: null })).appended).toMatchObject([
    { voterKey: makeKey('cookie', poll.id, 'v'), retryKey: null },
  ]);
  for (const wrong of [{ kind: 'open' }, { kind: 'declared', userId: 'v' }] as const) {
    expect(await refusalOf({ poll: cookiePoll, voter: wrong })).toMatchObject({ code: 'credential_missing' });
  }
  for (const wrong of [{ kind: 'open' }, voter] as const) {
    const { result, appended } = await cast({ voter: wrong });
    expect([result, appended]).toMatchObject([{ code: 'credential_missing', recorded: 'no' }, []]);
  }
});

test('in an open poll the key of the request stands for its voter, and without one each ballot is its own', async () => {
  const open = { poll: makePoll({ electorate: 'open' }), voter: { kind: 'open' } } as const;
  const retryKey = makeKey('retry', poll.id, 'key');
  expect((await cast(open)).appended).toMatchObject([{ voterKey: retryKey, retryKey: null }]);
  expect((await cast({ ...open, idempotencyKey: null })).appended).toMatchObject([{ voterKey: toKey(77) }]);
});

test('selections that break the rules never reach the log', async () => {
  const { result, appended } = await cast({ optionIds: ['2', '9'] });
  expect(result).toMatchObject({
    code: 'ballot_invalid',
    recorded: 'no',
    violations: [
      { pointer: '/selections/1', rule: 'option_unknown' },
      { pointer: '/selections', rule: 'overvote' },
    ],
  });
  expect(appended).toEqual([]);
});

test('a retry gets the receipt of the ballot that stands', async () => {
  const receipt = { ballotId: toUuidText(toKey(5)), pollId: poll.id, castAt, version: 3 };
  expect((await cast({}, standsWith())).result).toEqual(receipt);
  const open = { poll: makePoll({ electorate: 'open' }), voter: { kind: 'open' } } as const;
  expect((await cast(open, standsWith({ retryKey: null }))).result).toEqual(receipt);
});

test('a ballot that was found in the ledger after a doubt gets its own receipt, with a key or without', async () => {
  for (const idempotencyKey of ['key', null]) {
    const { result } = await cast({ idempotencyKey }, ({ id, retryKey }) =>
      standsWith({
        standing: { ballotId: toUuidText(id), castAt, version: null },
        retryKey: retryKey === null ? null : toUuidText(retryKey),
      }),
    );
    expect(result).toEqual({ ballotId: toUuidText(toKey(77)), pollId: poll.id, castAt, version: null });
  }
});

test('a second ballot of a voter is refused, and told which one stands and since when', async () => {
  for (const change of [{ idempotencyKey: null }, { idempotencyKey: 'another' }]) {
    expect(await refusalOf(change, standsWith())).toMatchObject({
      code: 'ballot_already_cast',
      recorded: 'no',
      extra: { ballotId: toUuidText(toKey(5)), castAt: new Date(castAt).toISOString() },
    });
  }
  expect(await refusalOf({}, standsWith({ retryKey: null }))).toMatchObject({ code: 'ballot_already_cast' });
});

test('a key that came with other selections is refused', async () => {
  expect(await refusalOf({}, standsWith({ selections: '1' }))).toMatchObject({
    code: 'idempotency_key_reused',
    recorded: 'no',
  });
});

test.for<[status: PollStatus, code: string]>([
  ['closed', 'poll_closed'],
  ['closing', 'poll_closed'],
  ['paused', 'poll_not_open'],
  ['draft', 'poll_not_open'],
  ['open', 'poll_not_open'],
])('a ballot that a poll did not take is refused in the words for %s: %s', async ([status, code]) => {
  expect(await refusalOf({}, { kind: 'not_taken' }, status)).toMatchObject({ code, recorded: 'no' });
});

test.for([
  ['ledger_unavailable', 'unknown'],
  ['ledger_unavailable', 'no'],
  ['ingest_log_full', 'no'],
  ['shutting_down', 'no'],
] as const)('a failure with %s says recorded: %s and keeps its cause', async ([code, recorded]) => {
  const cause = new Error('gone');
  const refusal = await refusalOf({}, { kind: 'failed', code, recorded, cause });
  expect(refusal).toMatchObject({ code, recorded, cause });
  expect(refusal.message).toContain('Send it again with the same Idempotency-Key');
});
