/** The messages of `/api/v1/live`: following polls and leaderboards over one WebSocket. The shapes stand in protocol/live.ts. */
import type { IncomingHttpHeaders } from 'node:http';
import { Compile } from 'typebox/compile';
import { closeCodes } from '../../protocol/close-codes.ts';
import { ClientMessage, type ErrorFrame } from '../../protocol/live.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Poll } from '../poll/poll.ts';
import type { Viewer } from '../poll/visibility.ts';
import { createFrame } from './frame.ts';
import type { Hub } from './hub.ts';
import type { LiveSocket } from './websocket.ts';

export type LiveProtocolParts = {
  readonly hub: Hub;
  /** The poll with this id or slug. @throws {AppError} `poll_not_found` */
  readonly findPoll: (name: string) => Promise<Poll>;
  /** Who looks, by the headers of the request that opened the socket and by what a message says. */
  readonly viewerOf: (headers: IncomingHttpHeaders, poll: Poll, ballotId: string | undefined) => Promise<Viewer>;
};

const subscriptionsMax = 50;
const leaderboardLimitDefault = 10;
const checker = { compiled: null as ReturnType<typeof Compile<typeof ClientMessage>> | null };

/** Compiled when the first message comes, which keeps the start quick. */
function isClientMessage(value: unknown): value is ClientMessage {
  checker.compiled ??= Compile(ClientMessage);
  return checker.compiled.Check(value);
}

export function serveLiveProtocol(parts: LiveProtocolParts, socket: LiveSocket, headers: IncomingHttpHeaders): void {
  /** How to stop following, by the id of the poll. */
  const followed = new Map<string, () => void>();
  let leaveLeaderboard: (() => void) | null = null;
  let ended = false;

  async function follow(name: string, message: Extract<ClientMessage, { type: 'subscribe' }>): Promise<void> {
    const poll = await parts.findPoll(name);
    const { manageKey, ballot } = message;
    const viewer = await parts.viewerOf(
      manageKey === undefined ? headers : { ...headers, 'manage-key': manageKey },
      poll,
      ballot,
    );
    // The socket may have ended while the ledger was asked.
    if (ended) return;
    followed.get(poll.id)?.();
    followed.delete(poll.id);
    if (followed.size >= subscriptionsMax) {
      throw new AppError('rate_limited', `One socket follows at most ${subscriptionsMax} polls.`);
    }
    followed.set(poll.id, parts.hub.subscribe(poll, viewer, socket));
  }

  async function take(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'subscribe': {
        const names = [...(message.polls ?? []), ...(message.poll === undefined ? [] : [message.poll])];
        if (names.length === 0) tellError(socket, 'request_malformed', 'Name a poll, or several as polls.');
        for (const name of names) await orTell(socket, name, () => follow(name, message));
        return;
      }
      case 'unsubscribe':
        return orTell(socket, message.poll, async () => {
          const { id } = await parts.findPoll(message.poll);
          followed.get(id)?.();
          followed.delete(id);
        });
      case 'subscribe_leaderboard':
        leaveLeaderboard?.();
        leaveLeaderboard = parts.hub.subscribeToLeaderboard(
          message.window ?? 'all',
          message.limit ?? leaderboardLimitDefault,
          socket,
        );
        return;
      case 'unsubscribe_leaderboard':
        leaveLeaderboard?.();
        leaveLeaderboard = null;
        return;
      case 'ping':
        socket.send(
          createFrame({ type: 'heartbeat', at: new Date(parts.hub.now()).toISOString() } as { type: string }),
        );
    }
  }

  socket.onMessage(async (text) => {
    const message = parse(text);
    if (isClientMessage(message)) await take(message);
    else socket.end(closeCodes.request_malformed);
  });
  socket.onEnd(() => {
    ended = true;
    for (const leave of followed.values()) leave();
    followed.clear();
    leaveLeaderboard?.();
  });
}

/** Does something for the client, or tells it why not. */
async function orTell(socket: LiveSocket, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    tellError(socket, error.code, error.message, name);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tellError(socket: LiveSocket, code: ErrorCode, detail: string, poll?: string): void {
  const frame: ErrorFrame = { type: 'error', code, detail, ...(poll === undefined ? {} : { poll }) };
  socket.send(createFrame(frame));
}
