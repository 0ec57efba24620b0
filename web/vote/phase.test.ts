import { expect, test } from 'vitest';
import type { Problem } from '../../protocol/problem.ts';
import { findFormProblem, toFirstPhase, toPhaseOfAnswer } from './phase.ts';

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

test('a page begins with what became of a form, then with the ballot that stands', () => {
  const ballot = { ballotId: 'b', pollId: 'p', castAt, status: 'counted' as const };
  expect(toFirstPhase({ notice: null, ballot: null })).toEqual({ kind: 'choosing', problem: null, changing: false });
  expect(toFirstPhase({ notice: null, ballot })).toEqual({ kind: 'counted', ballotId: 'b', castAt });
  expect(toFirstPhase({ notice: { kind: 'duplicate', ballotId: 'a', castAt }, ballot }).kind).toBe('duplicate');
  expect(toFirstPhase({ notice: { kind: 'too_many' }, ballot: null })).toMatchObject({ problem: { kind: 'too_many' } });
  expect(toFirstPhase({ notice: { kind: 'closed', lateMs: 5 }, ballot: null })).toEqual({ kind: 'late', lateMs: 5 });
});

test.for([
  ['cookie', 1, 1, 0, '', 'nothing_chosen'],
  ['cookie', 2, 3, 1, '', 'too_few'],
  ['cookie', 1, 2, 3, '', 'too_many'],
  ['cookie', 1, 2, 2, '', null],
  ['cookie', 0, 1, 0, '', null],
  ['declared', 1, 1, 1, ' ', 'user_id_missing'],
  ['declared', 1, 1, 1, 'alice', null],
] as const)('electorate %s, %i to %i, %i chosen by %j: %s', ([electorate, min, max, chosen, userId, kind]) => {
  expect(findFormProblem({ electorate, selections: { min, max } }, chosen, userId)?.kind ?? null).toBe(kind);
});

test('an answer leads to where it says', () => {
  const now = Date.parse(castAt) + 2_000;
  const after = (problem: Problem) => toPhaseOfAnswer({ kind: 'refused', problem }, castAt, now);
  expect(toPhaseOfAnswer({ kind: 'counted', receipt: { ballotId: 'b', castAt } }, null, now).kind).toBe('counted');
  expect(after(problemOf('ballot_already_cast', { ballotId: 'a', castAt }))).toEqual({
    kind: 'duplicate',
    ballotId: 'a',
    castAt,
  });
  expect(after(problemOf('poll_closed'))).toEqual({ kind: 'late', lateMs: 2_000 });
  expect(after(problemOf('ballot_invalid'))).toMatchObject({ kind: 'choosing', problem: { kind: 'poll_changed' } });
  expect(after(problemOf('voter_not_eligible'))).toMatchObject({ problem: { kind: 'refused', detail: 'Because.' } });
});
