/**
 * Where a voter stands, and the steps between.
 *
 * `choosing`: the form is open; `problem` says why it could not be sent, or why it came back. `sending`: the ballot is on its way, and stays so
 * until it is certain whether it was accepted. `received`: it is accepted, and what becomes of it is not known yet. `counted`: it is in the
 * ledger. `duplicate`: an earlier one of this voter is; its id and time are empty where they are not known. `late`: the poll was closed; `atMs` is when the ballot
 * arrived, by the ledger's clock. The poll says when it closed, and a page may learn that after the answer.
 */
import type { CountedBallot } from '../../protocol/ballot.ts';
import type { PageProps, VoteNotice } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { BallotOutcome } from '../parts/ballot-outcome.ts';
import type { CastAnswer } from './cast.ts';
import type { KeptBallot } from './kept-ballot.ts';

export type FormProblem =
  | {
      readonly kind:
        | 'nothing_chosen'
        | 'too_few'
        | 'too_many'
        | 'user_id_missing'
        | 'token_missing'
        | 'token_invalid'
        | 'form_foreign'
        | 'poll_changed'
        | 'unknown_outcome'
        | 'was_not_open'
        | 'not_counted';
    }
  | { readonly kind: 'overloaded'; readonly retryAfterSeconds: number }
  | { readonly kind: 'refused'; readonly detail: string };

export type Phase =
  | { readonly kind: 'choosing'; readonly problem: FormProblem | null; readonly changing: boolean }
  | { readonly kind: 'sending' }
  | { readonly kind: 'received'; readonly ballotId: string }
  | { readonly kind: 'counted'; readonly ballotId: string; readonly castAt: string }
  | { readonly kind: 'duplicate'; readonly ballotId: string; readonly castAt: string }
  | { readonly kind: 'late'; readonly atMs: number | null };

/** How a page begins: with what became of a form, with the ballot that stands, or with an empty form. */
export function toFirstPhase({
  notice,
  ballot,
  changing,
  poll,
}: Pick<PageProps['vote'], 'notice' | 'ballot' | 'changing'> & { readonly poll: Pick<Poll, 'closesAt'> }): Phase {
  if (notice !== null) return toPhaseOfNotice(notice, poll);
  return ballot === null || changing ? { kind: 'choosing', problem: null, changing } : toPhaseOfBallot(ballot);
}

/** Of a ballot that is in the ledger. */
export function toPhaseOfBallot({ ballotId, castAt }: CountedBallot): Phase {
  return { kind: 'counted', ballotId, castAt };
}

function toPhaseOfNotice(notice: VoteNotice, { closesAt }: Pick<Poll, 'closesAt'>): Phase {
  switch (notice.kind) {
    case 'received':
    case 'duplicate':
      return notice;
    case 'closed':
      return {
        kind: 'late',
        atMs: closesAt === null || notice.lateMs === null ? null : Date.parse(closesAt) + notice.lateMs,
      };
    case 'not_open':
    case 'paused':
      // The poll's own state says it, and goes on saying it when it changes.
      return { kind: 'choosing', problem: null, changing: false };
    default:
      return { kind: 'choosing', problem: notice, changing: false };
  }
}

/** Where a vote goes on that this browser has kept; null: with the form. */
export function toPhaseOfKept(
  { state, ballotId }: Pick<KeptBallot, 'state' | 'ballotId'>,
  { electorate }: Pick<Poll, 'electorate'>,
): Phase | null {
  if (state === 'received' && ballotId !== undefined) return { kind: 'received', ballotId };
  // A token is not kept: the ballot is sent again under its key once the voter has brought it anew.
  return state === 'choosing' || electorate === 'token' ? null : { kind: 'sending' };
}

/** What is wrong with a form before it is sent; null where nothing is. */
export function findFormProblem(
  poll: Pick<Poll, 'selections' | 'electorate'>,
  chosenCount: number,
  { userId, token }: { readonly userId: string; readonly token: string },
): FormProblem | null {
  const { min, max } = poll.selections;
  if (poll.electorate === 'declared' && userId.trim() === '') return { kind: 'user_id_missing' };
  if (poll.electorate === 'token' && token === '') return { kind: 'token_missing' };
  if (chosenCount === 0 && min > 0) return { kind: 'nothing_chosen' };
  if (chosenCount < min) return { kind: 'too_few' };
  return chosenCount > max ? { kind: 'too_many' } : null;
}

/** Where an answer leads. `nowMs` by the ledger's clock. */
export function toPhaseOfAnswer(
  answer: Exclude<CastAnswer, { kind: 'again' }>,
  nowMs: number,
): Exclude<Phase, { kind: 'sending' }> {
  if (answer.kind !== 'refused') return answer;
  const { problem } = answer;
  switch (problem.code) {
    case 'ballot_already_cast':
      return { kind: 'duplicate', ballotId: textOf(problem, 'ballotId'), castAt: textOf(problem, 'castAt') };
    case 'poll_closed':
      return { kind: 'late', atMs: nowMs };
    case 'poll_not_open':
      return toForm({ kind: 'was_not_open' });
    case 'credential_invalid':
      return toForm({ kind: 'token_invalid' });
    case 'ballot_invalid':
      return toForm({ kind: 'poll_changed' });
    default:
      return toForm({ kind: 'refused', detail: problem.detail });
  }
}

/** Where the outcome of an accepted ballot leads. */
export function toPhaseOfOutcome(outcome: BallotOutcome): Exclude<Phase, { kind: 'sending' }> {
  const { ballotId, castAt, status, reason } = outcome;
  if (status !== 'failed') return { kind: 'counted', ballotId, castAt: castAt ?? '' };
  switch (reason) {
    case 'ballot_already_cast':
      return { kind: 'duplicate', ballotId: '', castAt: '' };
    case 'poll_closed':
      return { kind: 'late', atMs: castAt === null ? null : Date.parse(castAt) };
    case 'poll_not_open':
      return toForm({ kind: 'was_not_open' });
    case 'ballot_invalid':
      return toForm({ kind: 'poll_changed' });
    default:
      return toForm({ kind: 'not_counted' });
  }
}

function toForm(problem: FormProblem): Extract<Phase, { kind: 'choosing' }> {
  return { kind: 'choosing', problem, changing: false };
}

function textOf(problem: Problem, member: string): string {
  const value: unknown = Object.entries(problem).find(([name]) => name === member)?.[1];
  return typeof value === 'string' ? value : '';
}
