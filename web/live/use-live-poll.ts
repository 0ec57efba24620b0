/** A poll that follows its live stream. */
import { useEffect, useState } from 'preact/hooks';
import type { PollShown } from '../../protocol/pages.ts';
import { connectLive, type Link } from './connection.ts';
import { applyFrame, type PollState } from './poll-state.ts';

export type LivePoll = PollState & {
  readonly link: Link;
  /** When something last came from the server, by this machine's clock; null before. */
  readonly heardAtMs: number | null;
};

/** `ballotId`: the receipt that shows results which show after voting, where there is one. */
export function useLivePoll(initial: PollShown, ballotId?: string | null): LivePoll {
  const [live, setLive] = useState<LivePoll>({ ...initial, online: null, link: 'connecting', heardAtMs: null });
  const { id } = initial.poll;
  useEffect(() => {
    const ballot = ballotId === null || ballotId === undefined ? {} : { ballot: ballotId };
    return connectLive({
      subscriptions: [{ type: 'subscribe', poll: id, ...ballot }],
      eventsUrl: `/api/v1/polls/${id}/events?${new URLSearchParams(ballot).toString()}`,
      onFrame: (frame) =>
        setLive((before) => ({ ...before, ...applyFrame(before, frame), link: 'live', heardAtMs: Date.now() })),
      onLink: (link) => setLive((before) => ({ ...before, link })),
    });
  }, [id, ballotId]);
  return live;
}
