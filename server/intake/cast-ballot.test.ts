import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { createKeyMaker } from '../identity/voter-key.ts';
import type { IngestLog, Outcome } from '../ingest-log/ingest-log.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Poll } from '../poll/poll.ts';
import { makePoll, toKey } from '../poll/test-support.ts';
import type { PollStatus } from '../poll/schedule.ts';
import { createCastBallot, type CastParts, type CastRequest, type CastResult } from './cast-ballot.ts';

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
  now: PollStatus | CastParts['askAgain'] = 'open',
): Promise<{ result: CastResult; appended: Ballot[] }> {
  const appended: Ballot[] = [];
  const ingestLog: IngestLog = {
    name: 'direct',
    acknowledges: 'outcome',
    survivesRestart: false,
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
    stamp: () => ({ id: toKey(77), acceptedUs: null }),
    askAgain: typeof now === 'function' ? now : (asked) => Promise.resolve({ poll: asked, status: now }),
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
  expect(result).toEqual({ state: 'counted', ballotId: toUuidText(toKey(77)), pollId: poll.id, castAt, version: 5 });
  expect(appended).toEqual([
    {
      poll,
      id: toKey(77),
      acceptedUs: null,
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
  const receipt = { state: 'counted', ballotId: toUuidText(toKey(5)), pollId: poll.id, castAt, version: 3 };
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
    expect(result).toEqual({
      state: 'counted',
      ballotId: toUuidText(toKey(77)),
      pollId: poll.id,
      castAt,
      version: null,
    });
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

/** A poll that was changed while a ballot was on its way: what the option had as its number, another one has now. */
const changedPoll: Poll = { ...poll, ballotForm: 2, optionNoById: new Map([['2', 1]]) };

test('a ballot whose poll was changed on its way is checked against the new form and cast again', async () => {
  const outcomeOf = (ballot: Ballot): Outcome => (ballot.poll === changedPoll ? counted : { kind: 'not_taken' });
  const { result, appended } = await cast({}, outcomeOf, () => Promise.resolve({ poll: changedPoll, status: 'open' }));
  expect(result).toMatchObject({ ballotId: toUuidText(toKey(77)), castAt });
  expect(appended.map(({ selections }) => selections)).toEqual([[2], [1]]);
});

test('a ballot that no longer fits its poll is refused by name', async () => {
  const form: Poll = { ...changedPoll, optionNoById: new Map() };
  const { result, appended } = await cast({}, { kind: 'not_taken' }, () =>
    Promise.resolve({ poll: form, status: 'open' }),
  );
  expect(result).toMatchObject({ code: 'ballot_invalid', violations: [{ rule: 'option_unknown' }] });
  expect(appended).toHaveLength(1);
});

test('a poll that changes without end does not keep a ballot without end', async () => {
  const { result, appended } = await cast({}, { kind: 'not_taken' }, 'open');
  expect(result).toMatchObject({ code: 'poll_not_open', recorded: 'no' });
  expect(appended.length).toBeLessThan(10);
});

test('a ballot that was not taken, of a poll that cannot be read, was not recorded', async () => {
  const cause = new Error('gone');
  expect(await refusalOf({}, { kind: 'not_taken' }, () => Promise.reject(cause))).toMatchObject({
    code: 'ledger_unavailable',
    recorded: 'no',
    cause,
  });
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
