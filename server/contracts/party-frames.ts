/** What the WebSocket of the contract `party` sends. What several sockets are told at one moment is built once. */
import type { Leaderboard } from '../../protocol/tally.ts';
import { createFrame, type Frame } from '../live/frame.ts';
import type { PollSeen } from '../live/hub.ts';
import { toPartyLeaderboard, toPartyOptions } from './party-views.ts';

export type PartyError = { readonly error: string; readonly message: string; readonly pollId?: string };

export type PartyFrames = {
  /** The first frame of a socket. It tells the moment of its connection, so it is its own. */
  firstLeaderboard(leaderboard: Leaderboard): Frame;
  leaderboard(leaderboard: Leaderboard): Frame;
  /** The first frame of a subscription, likewise. An error where the poll hides its results. */
  firstPoll(seen: PollSeen): Frame;
  poll(seen: PollSeen): Frame;
};

/** `now` is the ledger's clock. */
export function createPartyFrames(now: () => number): PartyFrames {
  function toLeaderboardFrame(type: string, leaderboard: Leaderboard): Frame {
    const content = { type, data: toPartyLeaderboard(leaderboard, now()) };
    return createFrame(content);
  }

  function toPollFrame({ poll, tally }: PollSeen): Frame {
    if (tally === null) {
      return toErrorFrame({ error: 'Forbidden', message: 'The results of this poll are hidden', pollId: poll.id });
    }
    const content = {
      type: 'pollUpdate',
      pollId: poll.id,
      results: toPartyOptions(poll, tally),
      total_votes: tally.ballots,
      timestamp: new Date(now()).toISOString(),
    };
    return createFrame(content);
  }

  return {
    firstLeaderboard: (leaderboard) => toLeaderboardFrame('LEADERBOARD_INIT', leaderboard),
    leaderboard: shareFrames((leaderboard: Leaderboard) => toLeaderboardFrame('LEADERBOARD_UPDATE', leaderboard)),
    firstPoll: toPollFrame,
    poll: shareFrames(toPollFrame),
  };
}

export function toErrorFrame(error: PartyError): Frame {
  return createFrame({ type: 'error', ...error });
}

/** The hub tells all of its watchers of one and the same object, so the frame of an object is kept while somebody holds that. */
function shareFrames<Told extends object>(toFrame: (told: Told) => Frame): (told: Told) => Frame {
  const frames = new WeakMap<Told, Frame>();
  return (told) => {
    const frame = frames.get(told) ?? toFrame(told);
    frames.set(told, frame);
    return frame;
  };
}
