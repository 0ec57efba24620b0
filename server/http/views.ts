/** From what the server holds to what the API shows. */
import type { Poll as PollView } from '../../protocol/poll.ts';
import type { Receipt as ReceiptView } from '../../protocol/ballot.ts';
import type { Tally as TallyView } from '../../protocol/tally.ts';
import type { PollTally } from '../board/tally-board.ts';
import type { Receipt } from '../intake/cast-ballot.ts';
import type { Poll } from '../poll/poll.ts';
import type { PollStatus } from '../poll/schedule.ts';

export function toPollView(poll: Poll, status: PollStatus): PollView {
  return {
    id: poll.id,
    slug: poll.slug,
    joinCode: poll.joinCode,
    question: poll.question,
    description: poll.description,
    options: poll.options.map(({ id, text, description }) => ({ id, text, description })),
    status,
    electorate: poll.electorate,
    electorateSize: poll.electorateSize,
    revote: poll.revote,
    visibility: poll.visibility,
    selections: { min: poll.selectionsMin, max: poll.selectionsMax },
    listed: poll.listed,
    opensAt: toTimeView(poll.opensAt),
    closesAt: toTimeView(poll.closesAt),
    createdAt: new Date(poll.createdAt).toISOString(),
    revision: poll.revision,
  };
}

/** One page of a list that was read with one poll more than it may show: that poll tells whether another page follows. */
export function toPage(read: readonly Poll[], limit: number): { polls: readonly Poll[]; next: string | null } {
  const polls = read.slice(0, limit);
  return { polls, next: read.length > limit ? (polls.at(-1)?.id ?? null) : null };
}

export function toReceiptView({ ballotId, pollId, castAt, version }: Receipt): ReceiptView {
  return { ballotId, pollId, castAt: new Date(castAt).toISOString(), version };
}

export function toTallyView(poll: Poll, status: PollStatus, tally: PollTally): TallyView {
  return {
    pollId: poll.id,
    status,
    version: tally.version,
    total: tally.ballots,
    turnout: poll.electorateSize === null ? null : tally.ballots / poll.electorateSize,
    counts: poll.options.map(({ id, optionNo }) => ({
      optionId: id,
      votes: tally.votesOf(optionNo),
      lastTenMinutes: tally.lastTenMinutesOf(optionNo),
    })),
    lastTenMinutes: tally.lastTenMinutes,
    votesPerSecond: tally.votesPerSecond,
  };
}

function toTimeView(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
