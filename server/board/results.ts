/** Results as people may see them: every surface that shows a tally, a status or a standing reads it here. */
import type { Option, Poll } from '../poll/poll.ts';
import { pollStatusAt, type PollStatus } from '../poll/schedule.ts';
import { anyone, resultsVisible, type Viewer } from '../poll/visibility.ts';
import { topStandings, type Standing } from '../tally/leaderboard.ts';
import type { PollTally, TallyBoard } from './tally-board.ts';

export type LeaderboardWindow = 'all' | 'last_ten_minutes';
export type Leader = { readonly poll: Poll; readonly option: Option; readonly votes: number };

export type ResultsParts = {
  readonly epoch: string;
  readonly board: TallyBoard;
  /** The ledger's clock in milliseconds. */
  readonly now: () => number;
  readonly settledThrough: () => number;
  readonly polls: { all(): Iterable<Poll>; byNo(pollNo: number): Poll | undefined };
};

export type Results = {
  /** The life of the ledger that the tallies are of: versions of different ones cannot be compared. */
  readonly epoch: string;
  now(): number;
  statusOf(poll: Poll): PollStatus;
  /** The tally as it stands, or null where this viewer may not see it. */
  tallyOf(poll: Poll, viewer: Viewer): PollTally | null;
  /** The leading options of all listed open polls that anybody may see, at most `limit`. */
  leaders(window: LeaderboardWindow, limit: number): Leader[];
};

/** The leaderboard is worked out at most this often; reads in between share it. */
const leadersKeptMs = 100;

export function createResults({ epoch, board, now, settledThrough, polls }: ResultsParts): Results {
  const kept = new Map<string, { at: number; leaders: Leader[] }>();

  function statusOf(poll: Poll): PollStatus {
    const at = now();
    return poll.closesAt === null || at < poll.closesAt
      ? pollStatusAt(poll, at)
      : pollStatusAt(poll, at, settledThrough());
  }

  /** A poll that was closed or hidden a moment ago is on no leaderboard, not even on one that was kept. */
  function stillShown({ poll }: Leader): boolean {
    return polls.byNo(poll.pollNo) === poll && statusOf(poll) === 'open';
  }

  function* standings(window: LeaderboardWindow): Generator<Standing> {
    const at = now();
    for (const poll of polls.all()) {
      if (!poll.listed || pollStatusAt(poll, at) !== 'open' || !resultsVisible(poll.visibility, 'open', anyone))
        continue;
      const tally = board.read(poll.pollNo, at);
      for (const { optionNo } of poll.options) {
        const votes = window === 'all' ? tally.votesOf(optionNo) : tally.lastTenMinutesOf(optionNo);
        yield { pollNo: poll.pollNo, optionNo, votes };
      }
    }
  }

  return {
    epoch,
    now,
    statusOf,
    tallyOf(poll, viewer) {
      return resultsVisible(poll.visibility, statusOf(poll), viewer) ? board.read(poll.pollNo, now()) : null;
    },
    leaders(window, limit) {
      const at = performance.now();
      const key = `${window} ${limit}`;
      const last = kept.get(key);
      if (last !== undefined && at - last.at < leadersKeptMs && last.leaders.every(stillShown)) return last.leaders;
      const leaders = topStandings(standings(window), limit).flatMap((standing) =>
        toLeader(polls.byNo(standing.pollNo), standing),
      );
      kept.set(key, { at, leaders });
      return leaders;
    },
  };
}

function toLeader(poll: Poll | undefined, { optionNo, votes }: Standing): Leader[] {
  const option = poll?.options[optionNo - 1];
  return poll === undefined || option === undefined ? [] : [{ poll, option, votes }];
}
