/** Results as people may see them: every surface that shows a tally, a status or a standing reads it here. */
import type { Option, Poll } from '../poll/poll.ts';
import { pollStatusAt, type PollStatus } from '../poll/schedule.ts';
import { anyone, resultsVisible, type Viewer } from '../poll/visibility.ts';
import { createTopStandings, type Standing } from '../tally/leaderboard.ts';
import type { PollTally, TallyBoard, TallyWindow } from './tally-board.ts';

export type LeaderboardWindow = TallyWindow;
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
  /** Visits every option of the listed open polls that anybody may see, in no order. Options without votes are among them. */
  eachStanding(window: LeaderboardWindow, visit: (poll: Poll, optionNo: number, votes: number) => void): void;
  /** The leading options of all listed open polls that anybody may see, at most `limit`. */
  leaders(window: LeaderboardWindow, limit: number): Leader[];
};

/** The leaderboard is worked out at most this often; reads in between share it. */
const leadersKeptMs = 100;
/** So many are found at once, so that those who ask for different numbers of them share the work. */
const leadersFoundMin = 100;

export function createResults({ epoch, board, now, settledThrough, polls }: ResultsParts): Results {
  const kept = new Map<LeaderboardWindow, { at: number; foundMax: number; leaders: Leader[] }>();

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

  /**
   * Looks only at polls that may have a leader. 2026-11-21, AMD EPYC with 4 cores that others used, too: the median for 100,000 options is 0.5 ms in
   * 100 polls and 3.3 ms in 50,000 (`npm run bench -- leaders`).
   */
  function findLeaders(window: LeaderboardWindow, limit: number): Leader[] {
    const at = now();
    const top = createTopStandings(limit);
    for (const poll of polls.all()) {
      if (!top.hasRoomFor(poll.pollNo, board.votesMaxOf(poll.pollNo, window, at)) || !isShownToAnyone(poll, at))
        continue;
      const votes = board.votesByOption(poll.pollNo, window, at);
      for (const { optionNo } of poll.options) top.offer(poll.pollNo, optionNo, votes[optionNo] ?? 0);
    }
    return top.list().flatMap((standing) => toLeader(polls.byNo(standing.pollNo), standing));
  }

  return {
    epoch,
    now,
    statusOf,
    tallyOf(poll, viewer) {
      return resultsVisible(poll.visibility, statusOf(poll), viewer) ? board.read(poll.pollNo, now()) : null;
    },
    eachStanding(window, visit) {
      const at = now();
      for (const poll of polls.all()) {
        if (!isShownToAnyone(poll, at)) continue;
        const votes = board.votesByOption(poll.pollNo, window, at);
        for (const { optionNo } of poll.options) visit(poll, optionNo, votes[optionNo] ?? 0);
      }
    },
    leaders(window, limit) {
      const at = performance.now();
      let found = kept.get(window);
      const isGood =
        found !== undefined &&
        at - found.at < leadersKeptMs &&
        limit <= found.foundMax &&
        found.leaders.every(stillShown);
      if (!isGood) {
        const foundMax = Math.max(limit, leadersFoundMin);
        found = { at, foundMax, leaders: findLeaders(window, foundMax) };
        kept.set(window, found);
      }
      return found?.leaders.slice(0, limit) ?? [];
    },
  };
}

/** Whether a poll's options stand on the leaderboards. */
function isShownToAnyone(poll: Poll, at: number): boolean {
  return poll.listed && pollStatusAt(poll, at) === 'open' && resultsVisible(poll.visibility, 'open', anyone);
}

function toLeader(poll: Poll | undefined, { optionNo, votes }: Standing): Leader[] {
  const option = poll?.options[optionNo - 1];
  return poll === undefined || option === undefined ? [] : [{ poll, option, votes }];
}
