import { expect, test } from 'vitest';
import type { Problem } from '../../protocol/problem.ts';
import type { BallotOutcome } from '../parts/ballot-outcome.ts';
import { findFormProblem, toFirstPhase, toPhaseOfAnswer, toPhaseOfKept, toPhaseOfOutcome } from './phase.ts';

const problemOf = (code: string, more: object = {}): Problem => ({
  type: `/problems/${code}`,
  title: '',
  status: 409,
  detail: 'Because.',
  instance: '',
  code,
  recorded: 'no',
  ...more,
});
const castAt = '2030-01-01T00:00:00.000Z';
const fresh = { notice: null, ballot: null, changing: false, poll: { closesAt: castAt } };

test('a page begins with what became of a form, then with the ballot that stands', () => {
  const ballot = { ballotId: 'b', pollId: 'p', castAt, status: 'counted' as const };
  expect(toFirstPhase(fresh)).toEqual({ kind: 'choosing', problem: null, changing: false });
  expect(toFirstPhase({ ...fresh, ballot })).toEqual({ kind: 'counted', ballotId: 'b', castAt });
  expect(toFirstPhase({ ...fresh, ballot, changing: true })).toMatchObject({ kind: 'choosing', changing: true });
  const duplicate = { kind: 'duplicate', ballotId: 'a', castAt } as const;
  expect(toFirstPhase({ ...fresh, notice: duplicate, ballot }).kind).toBe('duplicate');
  expect(toFirstPhase({ ...fresh, notice: { kind: 'too_many' } })).toMatchObject({ problem: { kind: 'too_many' } });
  const late = toFirstPhase({ ...fresh, notice: { kind: 'closed', lateMs: 5 } });
  expect(late).toEqual({ kind: 'late', atMs: Date.parse(castAt) + 5 });
});

test.for([
  ['cookie', 1, 1, 0, '', 'nothing_chosen'],
  ['cookie', 2, 3, 1, '', 'too_few'],
  ['cookie', 1, 2, 3, '', 'too_many'],
  ['cookie', 1, 2, 2, '', null],
  ['cookie', 0, 1, 0, '', null],
  ['declared', 1, 1, 1, ' ', 'user_id_missing'],
  ['declared', 1, 1, 1, 'alice', null],
  ['token', 1, 1, 1, 'alice', 'token_missing'],
] as const)('electorate %s, %i to %i, %i chosen by %j: %s', ([electorate, min, max, chosen, userId, kind]) => {
  expect(findFormProblem({ electorate, selections: { min, max } }, chosen, { userId, token: '' })?.kind ?? null).toBe(
    kind,
  );
});

test('an answer leads to where it says', () => {
  const now = Date.parse(castAt) + 2_000;
  const after = (problem: Problem) => toPhaseOfAnswer({ kind: 'refused', problem }, now);
  const counted = { kind: 'counted', ballotId: 'b', castAt } as const;
  expect(toPhaseOfAnswer(counted, now)).toEqual(counted);
  expect(after(problemOf('ballot_already_cast', { ballotId: 'a', castAt }))).toEqual({
    kind: 'duplicate',
    ballotId: 'a',
    castAt,
  });
  expect(after(problemOf('poll_closed'))).toEqual({ kind: 'late', atMs: now });
  expect(after(problemOf('poll_not_open'))).toMatchObject({ kind: 'choosing', problem: { kind: 'was_not_open' } });
  expect(after(problemOf('ballot_invalid'))).toMatchObject({ kind: 'choosing', problem: { kind: 'poll_changed' } });
  expect(after(problemOf('credential_invalid'))).toMatchObject({ problem: { kind: 'token_invalid' } });
  expect(after(problemOf('voter_not_eligible'))).toMatchObject({ problem: { kind: 'refused', detail: 'Because.' } });
});

test('an accepted ballot waits for its outcome, whether the page sent it or a form did', () => {
  const received = { kind: 'received', ballotId: 'b' } as const;
  expect(toPhaseOfAnswer(received, 0)).toEqual(received);
  expect(toFirstPhase({ ...fresh, notice: received })).toEqual(received);
});

const outcome: BallotOutcome = { ballotId: 'b', pollId: 'p', castAt, status: 'counted', processing: 'processed' };

test.for([
  [{}, { kind: 'counted', ballotId: 'b', castAt }],
  [{ status: 'superseded' }, { kind: 'counted', ballotId: 'b', castAt }],
  [{ reason: 'ballot_already_cast' }, { kind: 'duplicate', ballotId: '', castAt: '' }],
  [{ reason: 'poll_closed' }, { kind: 'late', atMs: Date.parse(castAt) }],
  [
    { reason: 'poll_closed', castAt: null },
    { kind: 'late', atMs: null },
  ],
  [{ reason: 'poll_not_open' }, { kind: 'choosing', problem: { kind: 'was_not_open' } }],
  [{ reason: 'ballot_invalid' }, { kind: 'choosing', problem: { kind: 'poll_changed' } }],
  [{ reason: 'internal' }, { kind: 'choosing', problem: { kind: 'not_counted' } }],
  [{ reason: 'something_new' }, { kind: 'choosing', problem: { kind: 'not_counted' } }],
] as const)('the outcome %j of an accepted ballot leads to %j', ([ended, phase]) => {
  const status = 'reason' in ended ? ({ status: 'failed', processing: 'failed' } as const) : {};
  expect(toPhaseOfOutcome({ ...outcome, ...status, ...ended })).toMatchObject(phase);
});

test.for([
  ['choosing', undefined, 'cookie', null],
  ['sending', undefined, 'cookie', 'sending'],
  ['sending', undefined, 'token', null],
  ['received', 'b', 'cookie', 'received'],
  ['received', 'b', 'token', 'received'],
  ['counted', 'b', 'cookie', 'sending'],
] as const)(
  'a kept vote that is %s with the receipt %s, electorate %s, goes on as %s',
  ([state, ballotId, electorate, kind]) => {
    const kept = ballotId === undefined ? { state } : { state, ballotId };
    expect(toPhaseOfKept(kept, { electorate })?.kind ?? null).toBe(kind);
  },
);
