/**
 * WebSockets as this server speaks them: small messages in, ready-made frames out, limits on both. What the messages mean is for those
 * who open a socket here: the live protocol, and contracts with a protocol of their own.
 *
 * Frames are written to the connection as the bytes that they are. That is what `ws` itself would do with them, because without compression
 * it writes every message at once and in one piece; so its own control frames never fall into the middle of one of ours.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { closeCodes, type CloseCode } from '../../protocol/close-codes.ts';
import type { AddressOf } from '../lib/forwarding.ts';
import type { Logger } from '../lib/logger.ts';
import type { Keeper } from './keeper.ts';
import { fullBytes, type Connection } from './subscriber.ts';

export type LiveSocket = Pick<Connection, 'send' | 'full' | 'end'> & {
  /** Text messages in their order; the next is given when the handler of the last has ended. */
  onMessage(handle: (text: string) => void | Promise<void>): void;
  onEnd(listener: () => void): void;
};

export type SocketDoor = {
  /** Makes a WebSocket of a request to upgrade, or refuses it. `onOpen` gets it before any message of it is read. */
  open(upgrade: Upgrade, onOpen: (socket: LiveSocket) => void): void;
};

export type Upgrade = { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer };

export const messageBytesMax = 4 * 1024;

/** What differs between the protocols that are spoken here. */
export type SocketHabits = {
  /** A longer message ends the socket (1009). */
  readonly payloadBytesMax: number;
  /** Whether a message may come as binary; otherwise it ends the socket. */
  readonly takesBinary: boolean;
  /** Whether a silent socket gets heartbeat frames besides the pings of WebSocket itself. */
  readonly heartbeats: boolean;
};

const ownHabits: SocketHabits = { payloadBytesMax: messageBytesMax, takesBinary: false, heartbeats: true };
const messagesPerMinuteMax = 120;
const minuteMs = 60_000;
/** Messages that wait for the one before: more come only from a client that does not wait for answers. */
const messagesWaitingMax = 60;

export type DoorParts = { readonly keeper: Keeper; readonly addressOf: AddressOf; readonly log: Logger };

export function createSocketDoor({ keeper, addressOf, log }: DoorParts, habits: SocketHabits = ownHabits): SocketDoor {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: habits.payloadBytesMax,
  });
  return {
    open({ request, socket, head }, onOpen) {
      const seat = keeper.admit(addressOf(request), 'websocket');
      if (seat === null) {
        refuseUpgrade(socket, 503, 'too_many_connections', 'There are too many live connections.');
        return;
      }
      socket.once('close', seat.release);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        onOpen(createLiveSocket(webSocket, socket, { keeper, log, habits }));
      });
    },
  };
}

function createLiveSocket(
  webSocket: WebSocket,
  stream: Duplex,
  { keeper, log, habits }: { keeper: Keeper; log: Logger; habits: SocketHabits },
): LiveSocket {
  let sentCount = 0;
  let alive = true;
  let handle: (text: string) => void | Promise<void> = () => undefined;
  const listeners: (() => void)[] = [];
  const isWithinRate = createRate();
  let waitingCount = 0;
  let last: Promise<void> = Promise.resolve();

  const connection: Connection = {
    send(frame) {
      if (webSocket.readyState !== webSocket.OPEN) return;
      sentCount += 1;
      stream.write(frame.webSocketBytes());
    },
    full: () => stream.writableLength > fullBytes,
    backlogBytes: () => stream.writableLength,
    sentCount: () => sentCount,
    probe() {
      const wasAlive = alive;
      alive = false;
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
      return wasAlive;
    },
    end({ code, reason }: CloseCode) {
      webSocket.close(code, reason);
      // Whoever does not read does not see the close either: it is not waited for.
      if (stream.writableLength > 0) webSocket.terminate();
    },
  };

  async function take(text: string): Promise<void> {
    try {
      await handle(text);
    } catch (error) {
      log.error({ err: error }, 'message of a live socket failed');
      connection.end(closeCodes.internal);
    } finally {
      waitingCount -= 1;
    }
  }

  const watched = habits.heartbeats ? connection : { ...connection, send: () => undefined };
  const stopKeeping = keeper.keep(watched, 'websocket');
  webSocket.on('pong', () => {
    alive = true;
  });
  webSocket.on('message', (data, isBinary) => {
    alive = true;
    if (isBinary && !habits.takesBinary) return connection.end(closeCodes.request_malformed);
    if (!isWithinRate() || waitingCount >= messagesWaitingMax) return connection.end(closeCodes.rate_limited);
    waitingCount += 1;
    const text = (data as Buffer).toString(); // `ws` gives one Buffer for each message unless asked otherwise.
    last = last.then(() => take(text));
  });
  // What is wrong with a client's bytes, `ws` tells it by closing; the error says nothing more.
  webSocket.on('error', () => undefined);
  webSocket.on('close', () => {
    stopKeeping();
    for (const listener of listeners) listener();
  });

  return {
    ...connection,
    onMessage(handler) {
      handle = handler;
    },
    onEnd(listener) {
      listeners.push(listener);
    },
  };
}

/** Answers whether one more message is within what a minute allows. */
function createRate(): () => boolean {
  let since = performance.now();
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - since >= minuteMs) [since, count] = [now, 0];
    count += 1;
    return count <= messagesPerMinuteMax;
  };
}

/** Answers a request to upgrade as HTTP, and closes. */
export function refuseUpgrade(socket: Duplex, status: 403 | 404 | 503, code: string, detail: string): void {
  const titles = { 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' };
  const body = JSON.stringify({
    type: `/problems/${code}`,
    title: titles[status],
    status,
    detail,
    code,
    recorded: 'no',
  });
  const lines = [
    `HTTP/1.1 ${status} ${titles[status]}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? ['Retry-After: 5'] : []),
  ];
  socket.on('error', () => socket.destroy());
  // Nobody reads this socket any more, so nobody would hear that its other side is gone.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
