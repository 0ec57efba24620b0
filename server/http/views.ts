/** From what the server holds to what the API shows. */
import type { PageProps } from '../../protocol/pages.ts';
import type { BallotStatus, Receipt as ReceiptView } from '../../protocol/ballot.ts';
import type { Results } from '../board/results.ts';
import { toLeaderboardView } from '../board/views.ts';
import type { BallotState } from '../intake/ballot-states.ts';
import type { Receipt } from '../intake/cast-ballot.ts';
import type { Poll } from '../poll/poll.ts';

const leadersShown = 25;

/** One page of a list that was read with one poll more than it may show: that poll tells whether another page follows. */
export function toPage(read: readonly Poll[], limit: number): { polls: readonly Poll[]; next: string | null } {
  const polls = read.slice(0, limit);
  return { polls, next: read.length > limit ? (polls.at(-1)?.id ?? null) : null };
}

export function toReceiptView({ state, ballotId, pollId, castAt, version }: Receipt): ReceiptView {
  if (state === 'counted') return { ballotId, pollId, castAt: new Date(castAt).toISOString(), version };
  // A retry was accepted later, and has the same receipt all the same.
  return { ballotId, pollId, castAt: null, version, status: state };
}

const processing = {
  received: 'received',
  validating: 'validating',
  counted: 'processed',
  superseded: 'processed',
  failed: 'failed',
} as const satisfies Record<BallotState['status'], BallotStatus['processing']>;

export function toBallotStatus(state: BallotState): BallotStatus {
  const { ballotId, status, castAt } = state;
  return {
    ballotId,
    pollId: 'pollId' in state ? state.pollId : null,
    castAt: castAt === null ? null : new Date(castAt).toISOString(),
    status,
    processing: processing[status],
    ...(state.status === 'failed' ? { reason: state.reason } : {}),
  };
}

/** What the leaderboard's page shows. */
export function toLeaderboardProps(results: Results): PageProps['leaderboard'] {
  return {
    all: toLeaderboardView(results, { window: 'all', limit: leadersShown }),
    lastTenMinutes: toLeaderboardView(results, { window: 'last_ten_minutes', limit: leadersShown }),
  };
}
