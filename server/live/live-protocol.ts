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
import type { LiveSocket, SocketListener } from './websocket.ts';

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
  socket.listen(new LiveSession(parts, socket, headers));
}

/** What one socket follows. A class for the same reason as the socket itself. */
class LiveSession implements SocketListener {
  readonly #parts: LiveProtocolParts;
  readonly #socket: LiveSocket;
  readonly #headers: IncomingHttpHeaders;
  /** How to stop following, by the id of the poll. */
  readonly #followed = new Map<string, () => void>();
  #leaveLeaderboard: (() => void) | null = null;
  #hasEnded = false;

  constructor(parts: LiveProtocolParts, socket: LiveSocket, headers: IncomingHttpHeaders) {
    this.#parts = parts;
    this.#socket = socket;
    this.#headers = headers;
  }

  async onMessage(text: string): Promise<void> {
    const message = parse(text);
    if (isClientMessage(message)) await this.#take(message);
    else this.#socket.end(closeCodes.request_malformed);
  }

  onEnd(): void {
    this.#hasEnded = true;
    for (const leave of this.#followed.values()) leave();
    this.#followed.clear();
    this.#leaveLeaderboard?.();
  }

  async #take(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'subscribe': {
        const names = [...(message.polls ?? []), ...(message.poll === undefined ? [] : [message.poll])];
        if (names.length === 0) tellError(this.#socket, 'request_malformed', 'Name a poll, or several as polls.');
        for (const name of names) await orTell(this.#socket, name, () => this.#follow(name, message));
        return;
      }
      case 'unsubscribe':
        return orTell(this.#socket, message.poll, async () => {
          this.#leave((await this.#parts.findPoll(message.poll)).id);
        });
      case 'subscribe_leaderboard':
        this.#leaveLeaderboard?.();
        this.#leaveLeaderboard = this.#parts.hub.subscribeToLeaderboard(
          message.window ?? 'all',
          message.limit ?? leaderboardLimitDefault,
          this.#socket,
        );
        return;
      case 'unsubscribe_leaderboard':
        this.#leaveLeaderboard?.();
        this.#leaveLeaderboard = null;
        return;
      case 'ping': {
        const at = new Date(this.#parts.hub.now()).toISOString();
        this.#socket.send(createFrame({ type: 'heartbeat', at } as { type: string }));
      }
    }
  }

  async #follow(name: string, message: Extract<ClientMessage, { type: 'subscribe' }>): Promise<void> {
    const { hub, findPoll, viewerOf } = this.#parts;
    const poll = await findPoll(name);
    const { manageKey, ballot } = message;
    const headers = manageKey === undefined ? this.#headers : { ...this.#headers, 'manage-key': manageKey };
    const viewer = await viewerOf(headers, poll, ballot);
    // The socket may have ended while the ledger was asked.
    if (this.#hasEnded) return;
    this.#leave(poll.id);
    if (this.#followed.size >= subscriptionsMax) {
      throw new AppError('rate_limited', `One socket follows at most ${subscriptionsMax} polls.`);
    }
    this.#followed.set(poll.id, hub.subscribe(poll, viewer, this.#socket));
  }

  #leave(pollId: string): void {
    this.#followed.get(pollId)?.();
    this.#followed.delete(pollId);
  }
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
