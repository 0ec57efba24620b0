/** Leaderboards and tallies as the contract `party` writes them, over HTTP and over its WebSocket. */
import type { Leaderboard } from '../../protocol/tally.ts';
import type { PollTally } from '../board/tally-board.ts';
import type { Poll } from '../poll/poll.ts';

export const leaderboardLimitDefault = 10;

export function toPartyLeaderboard({ entries }: Pick<Leaderboard, 'entries'>, now: number): object {
  const data = entries.map(({ pollId, question, optionId, optionText, votes }) => ({
    poll_id: pollId,
    poll_question: question,
    option_id: optionId,
    option_text: optionText,
    vote_count: votes,
  }));
  return { data, timestamp: new Date(now).toISOString() };
}

/** Counts are null where the poll hides its results. */
export function toPartyOptions({ options }: Poll, tally: PollTally | null): object[] {
  return options.map(({ id, text, optionNo }) => ({
    option_id: id,
    option_text: text,
    vote_count: tally?.votesOf(optionNo) ?? null,
  }));
}
