/**
 * The WebSocket of the contract `party`. Everybody who connects gets the leaderboard, at once and at each change; polls that a client
 * subscribes to come on top. A message that makes no sense is answered with an error frame, and the socket stays.
 *
 * Every frame is the whole state of what it tells, so a socket that is full is passed over and told the latest state later.
 */
import type { Hub } from '../live/hub.ts';
import { messageBytesMax, type LiveSocket, type SocketHabits } from '../live/websocket.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';
import { toErrorFrame, type PartyError, type PartyFrames } from './party-frames.ts';
import { leaderboardLimitDefault } from './party-views.ts';

export type PartySocketParts = {
  readonly hub: Pick<Hub, 'watch' | 'watchLeaderboard'>;
  /** null for a malformed id, too. */
  readonly findPoll: (id: string) => Promise<Poll | null>;
  readonly frames: PartyFrames;
};

/** Messages that are too long, up to a limit, are read so that they can be answered. Clients of this contract know no heartbeats. */
export const partySocketHabits: SocketHabits = { payloadBytesMax: 64 * 1024, takesBinary: true, heartbeats: false };

const subscriptionsMax = 50;

export function servePartySocket(parts: PartySocketParts, socket: LiveSocket): void {
  /** How to stop following, by the id of the poll. */
  const followed = new Map<string, () => void>();
  let ended = false;

  function tellError(error: PartyError): void {
    socket.send(toErrorFrame(error));
  }

  async function take(text: string): Promise<void> {
    const wish = parseWish(text);
    if ('error' in wish) return tellError(wish);
    const { kind, pollId } = wish;
    const poll = await parts.findPoll(pollId);
    // The socket may have ended while the ledger was asked.
    if (ended) return;
    if (poll === null) return tellError({ error: 'Not Found', message: 'Poll does not exist' });
    followed.get(poll.id)?.();
    followed.delete(poll.id);
    if (kind === 'unsubscribe') return;
    if (followed.size >= subscriptionsMax) {
      const message = `One connection follows at most ${subscriptionsMax} polls`;
      return tellError({ error: 'Too Many Requests', message, pollId: poll.id });
    }
    followed.set(poll.id, followPoll(parts, socket, poll));
  }

  const leaveLeaderboard = followLeaderboard(parts, socket);
  socket.listen({
    onMessage: take,
    onEnd() {
      ended = true;
      leaveLeaderboard();
      for (const leave of followed.values()) leave();
      followed.clear();
    },
  });
}

function followLeaderboard({ hub, frames }: PartySocketParts, socket: LiveSocket): () => void {
  let begun = false;
  return hub.watchLeaderboard('all', leaderboardLimitDefault, (leaderboard) => {
    if (socket.full()) return false;
    socket.send(begun ? frames.leaderboard(leaderboard) : frames.firstLeaderboard(leaderboard));
    begun = true;
    return true;
  });
}

/** A poll that hides its results is answered with one error, and is followed all the same: it may show them later. */
function followPoll({ hub, frames }: PartySocketParts, socket: LiveSocket, poll: Poll): () => void {
  let told: 'nothing' | 'hidden' | 'counts' = 'nothing';
  return hub.watch(poll, anyone, (seen) => {
    if (socket.full()) return false;
    const now = seen.tally === null ? 'hidden' : 'counts';
    if (told !== 'hidden' || now !== 'hidden')
      socket.send(told === 'nothing' ? frames.firstPoll(seen) : frames.poll(seen));
    told = now;
    return true;
  });
}

type Wish = { readonly kind: 'subscribe' | 'unsubscribe'; readonly pollId: string };

/** `{"type":"subscribe","pollId":"…"}`, or the same with `action`. */
function parseWish(text: string): Wish | PartyError {
  if (Buffer.byteLength(text) > messageBytesMax) {
    return { error: 'Invalid message', message: `A message has at most ${messageBytesMax} bytes` };
  }
  const message = parseJsonText(text);
  if (typeof message !== 'object' || message === null) {
    return { error: 'Invalid JSON', message: 'A message is a JSON object' };
  }
  const given: Readonly<Record<string, unknown>> = { ...message };
  const kind = [given['type'], given['action']].find((word) => word === 'subscribe' || word === 'unsubscribe');
  if (kind === undefined) return { error: 'Validation Error', message: 'type must be subscribe or unsubscribe' };
  const { pollId } = given;
  if (typeof pollId !== 'string') return { error: 'Validation Error', message: 'pollId is required' };
  return { kind, pollId };
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
