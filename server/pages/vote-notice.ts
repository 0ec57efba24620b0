/** From a refused ballot to what the vote page says about it. */
import type { VoteNotice } from '../../protocol/pages.ts';
import type { AppError } from '../errors.ts';
import type { Poll } from '../poll/poll.ts';

/** null: nothing that a voter could do anything about; it is shown as any other problem. `now` by the ledger's clock. */
export function toNotice(error: AppError, poll: Poll, now: number): VoteNotice | null {
  if (error.recorded === 'unknown') return { kind: 'unknown_outcome' };
  switch (error.code) {
    case 'ballot_already_cast':
      return { kind: 'duplicate', ballotId: String(error.extra['ballotId']), castAt: String(error.extra['castAt']) };
    case 'poll_closed':
      return { kind: 'closed', lateMs: poll.closesAt === null ? null : Math.max(0, Math.round(now - poll.closesAt)) };
    case 'poll_not_open':
      return { kind: poll.pausedAt === null ? 'not_open' : 'paused' };
    case 'ballot_invalid':
      return { kind: 'poll_changed' };
    case 'ingest_log_full':
    case 'ledger_unavailable':
    case 'shutting_down':
    case 'rate_limited':
      return { kind: 'overloaded', retryAfterSeconds: error.row.retryAfterSeconds ?? 1 };
    default:
      return null;
  }
}
