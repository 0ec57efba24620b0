/**
 * What a page knows of a poll, and how frames change it. Frames may come late, twice or out of order: a tally is taken in only
 * when it is newer by its position (epoch, version), so the total that a page shows never goes down by accident.
 */
import type { ServerFrame } from '../../protocol/live.ts';
import type { Poll } from '../../protocol/poll.ts';
import type { Tally } from '../../protocol/tally.ts';

export type PollState = {
  readonly poll: Poll;
  /** null while this viewer may not see the results. */
  readonly tally: Tally | null;
  /** Live connections that follow the poll; null until the stream has told. */
  readonly online: number | null;
};

/** The state after a frame; the very same object where the frame changes nothing. */
export function applyFrame(state: PollState, frame: ServerFrame): PollState {
  if (!('poll' in frame) || frame.poll !== state.poll.id) return state;
  switch (frame.type) {
    case 'snapshot': {
      const withTerms = { ...takePoll(state, frame.terms), online: frame.online };
      return takeTally(withTerms, { pollId: frame.poll, ...tallyOf(frame) });
    }
    case 'tally':
      return takeTally(state, { pollId: frame.poll, ...tallyOf(frame) });
    case 'hidden':
      return { ...takePoll(state, frame.terms), tally: null };
    case 'poll':
      return takePoll(state, frame.terms);
    case 'pulse':
      return takePulse(state, frame);
    case 'error':
      return state;
  }
}

type TallyBearer = Omit<Tally, 'pollId'>;

function tallyOf({ epoch, version, total, turnout, counts, lastTenMinutes, votesPerSecond, status }: TallyBearer) {
  return { epoch, version, total, turnout, counts, lastTenMinutes, votesPerSecond, status };
}

function takeTally(state: PollState, tally: Tally): PollState {
  const known = state.tally;
  if (known !== null && known.epoch === tally.epoch && tally.version < known.version) return state;
  return { ...state, tally };
}

const statusOrder: Readonly<Record<Poll['status'], number>> = { draft: 0, open: 1, paused: 1, closing: 2, closed: 3 };

/** A status changes by the clock, too, without a new revision: then it only goes on. */
function takePoll(state: PollState, poll: Poll): PollState {
  const known = state.poll;
  if (poll.revision < known.revision) return state;
  if (poll.revision === known.revision && statusOrder[poll.status] < statusOrder[known.status]) return state;
  return { ...state, poll };
}

function takePulse(state: PollState, frame: Extract<ServerFrame, { type: 'pulse' }>): PollState {
  if (state.tally === null) return { ...state, online: frame.online };
  const windows = new Map(frame.counts.map(({ optionId, lastTenMinutes }) => [optionId, lastTenMinutes]));
  const counts = state.tally.counts.map((count) => ({
    ...count,
    lastTenMinutes: windows.get(count.optionId) ?? count.lastTenMinutes,
  }));
  const { lastTenMinutes, votesPerSecond } = frame;
  return { ...state, online: frame.online, tally: { ...state.tally, counts, lastTenMinutes, votesPerSecond } };
}
