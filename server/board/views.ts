/** Polls and tallies as every surface shows them: the API, the pages and the live streams. */
import type { Poll as PollView } from '../../protocol/poll.ts';
import type { Leaderboard, Tally as TallyView } from '../../protocol/tally.ts';
import type { Poll } from '../poll/poll.ts';
import type { PollStatus } from '../poll/schedule.ts';
import type { LeaderboardWindow, Results } from './results.ts';
import type { PollTally } from './tally-board.ts';

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
    layout: poll.layout,
    color: poll.color,
    hasLogo: poll.hasLogo,
    embedParents: [...poll.embedParents],
    opensAt: toTimeView(poll.opensAt),
    closesAt: toTimeView(poll.closesAt),
    createdAt: new Date(poll.createdAt).toISOString(),
    revision: poll.revision,
  };
}

export function toTallyView(poll: Poll, status: PollStatus, tally: PollTally, epoch: string): TallyView {
  return {
    pollId: poll.id,
    epoch,
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

export function toLeaderboardView(
  results: Results,
  { window, limit }: { window: LeaderboardWindow; limit: number },
): Leaderboard {
  const entries = results.leaders(window, limit).map(({ poll, option, votes }) => ({
    pollId: poll.id,
    pollSlug: poll.slug,
    question: poll.question,
    optionId: option.id,
    optionText: option.text,
    votes,
  }));
  return { window, asOf: new Date(results.now()).toISOString(), entries };
}

function toTimeView(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
