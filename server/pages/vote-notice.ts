/** From a refused ballot to what the vote page says about it. */
import type { VoteNotice } from '../../protocol/pages.ts';
import type { AppError } from '../errors.ts';
import { toRefusal } from '../http/ballot-answers.ts';
import type { BallotState } from '../intake/ballot-states.ts';
import type { Poll } from '../poll/poll.ts';

/** null: nothing that a voter could do anything about; it is shown as any other problem. `now` by the ledger's clock. */
export function toNotice(error: AppError, poll: Poll, now: number): VoteNotice | null {
  if (error.recorded === 'unknown') return { kind: 'unknown_outcome' };
  switch (error.code) {
    case 'ballot_already_cast':
      return { kind: 'duplicate', ballotId: textOf(error, 'ballotId'), castAt: textOf(error, 'castAt') };
    case 'poll_closed':
      return { kind: 'closed', lateMs: poll.closesAt === null ? null : Math.max(0, Math.round(now - poll.closesAt)) };
    case 'poll_not_open':
      return { kind: poll.pausedAt === null ? 'not_open' : 'paused' };
    case 'credential_invalid':
      return { kind: 'token_invalid' };
    case 'ballot_invalid':
      return { kind: 'poll_changed' };
    case 'ingest_log_full':
    case 'ledger_unavailable':
    case 'tokens_unverifiable':
    case 'shutting_down':
    case 'rate_limited':
      return { kind: 'overloaded', retryAfterSeconds: error.retryAfterSeconds ?? 1 };
    default:
      return null;
  }
}

/** What to say of a ballot that is not in the ledger: on its way, or refused when it was recorded. null for any other. */
export function toNoticeOfState(state: BallotState | null, poll: Poll): VoteNotice | null {
  switch (state?.status) {
    case 'received':
    case 'validating':
      return { kind: 'received', ballotId: state.ballotId };
    case 'failed':
      return state.pollNo === poll.pollNo ? toNoticeOfRefusal(state, poll) : null;
    default:
      return null;
  }
}

function toNoticeOfRefusal({ reason, castAt }: Extract<BallotState, { status: 'failed' }>, poll: Poll): VoteNotice {
  // By now the poll may be open, and its own state says nothing of what was.
  if (reason === 'poll_not_open') return { kind: 'was_not_open' };
  return toNotice(toRefusal(reason), poll, castAt) ?? { kind: 'not_counted' };
}

function textOf({ extra }: AppError, member: string): string {
  const value = extra[member];
  return typeof value === 'string' ? value : '';
}
