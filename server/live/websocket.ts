/**
 * WebSockets as this server speaks them: small messages in, ready-made frames out, limits on both. What the messages mean is for those
 * who open a socket here: the live protocol, and contracts with a protocol of their own.
 *
 * Frames are written to the connection as the bytes that they are. That is what `ws` itself would do with them, because without compression
 * it writes every message at once and in one piece; so its own control frames never fall into the middle of one of ours.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { closeCodes, type CloseCode } from '../../protocol/close-codes.ts';
import type { AddressOf } from '../lib/forwarding.ts';
import type { Logger } from '../lib/logger.ts';
import type { Frame } from './frame.ts';
import type { Keeper } from './keeper.ts';
import { fullBytes, type Connection } from './subscriber.ts';

export type LiveSocket = Pick<Connection, 'send' | 'full' | 'end'> & {
  /** Whom the socket tells of its messages and its end. To be called once, before any message is read. */
  listen(listener: SocketListener): void;
};

export type SocketListener = {
  /** Text messages in their order; the next is given when this has ended. */
  onMessage(text: string): void | Promise<void>;
  onEnd(): void;
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

type SocketParts = DoorParts & { readonly habits: SocketHabits };

export function createSocketDoor(parts: DoorParts, habits: SocketHabits = ownHabits): SocketDoor {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: habits.payloadBytesMax,
    WebSocket: ServedWebSocket,
  });
  const socketParts: SocketParts = { ...parts, habits };
  return {
    open({ request, socket, head }, onOpen) {
      const seat = parts.keeper.admit(parts.addressOf(request), 'websocket');
      if (seat === null) {
        refuseUpgrade(socket, 503, 'too_many_connections', 'There are too many live connections.');
        return;
      }
      socket.on('close', seat.release);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.served = new ServedSocket(webSocket, socket, socketParts);
        onOpen(webSocket.served);
      });
    },
  };
}

/** Leads the listeners, which all sockets share, to what they are called for. */
class ServedWebSocket extends WebSocket {
  served: ServedSocket | null = null;
}

/**
 * A class, whose functions are there once and not for each socket: as closures they took 2.7 kB a socket (2026-11-21), as much as `ws` and
 * Node together have on the heap.
 */
class ServedSocket implements LiveSocket, Connection {
  readonly #webSocket: WebSocket;
  readonly #stream: Duplex;
  readonly #parts: SocketParts;
  #listener: SocketListener | null = null;
  #sentCount = 0;
  #isAlive = true;
  /** Messages since `#minuteSince`. */
  #minuteCount = 0;
  #minuteSince = 0;
  #waitingCount = 0;
  #last: Promise<void> | null = null;

  constructor(webSocket: ServedWebSocket, stream: Duplex, parts: SocketParts) {
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.#parts = parts;
    parts.keeper.keep(this, 'websocket', parts.habits);
    webSocket.on('pong', notePong).on('message', takeMessage).on('error', ignoreError).on('close', noteClose);
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  send(frame: Frame): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#sentCount += 1;
    this.#stream.write(frame.webSocketBytes());
  }

  full(): boolean {
    return this.#stream.writableLength > fullBytes;
  }

  backlogBytes(): number {
    return this.#stream.writableLength;
  }

  sentCount(): number {
    return this.#sentCount;
  }

  probe(): boolean {
    const wasAlive = this.#isAlive;
    this.#isAlive = false;
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.ping();
    return wasAlive;
  }

  end({ code, reason }: CloseCode): void {
    this.#webSocket.close(code, reason);
    // Whoever does not read does not see the close either: it is not waited for.
    if (this.#stream.writableLength > 0) this.#webSocket.terminate();
  }

  notePong(): void {
    this.#isAlive = true;
  }

  noteMessage(data: Buffer, isBinary: boolean): void {
    this.#isAlive = true;
    if (isBinary && !this.#parts.habits.takesBinary) return this.end(closeCodes.request_malformed);
    if (!this.#isWithinRate() || this.#waitingCount >= messagesWaitingMax) return this.end(closeCodes.rate_limited);
    this.#waitingCount += 1;
    const text = data.toString();
    this.#last = (this.#last ?? Promise.resolve()).then(() => this.#take(text));
  }

  noteClose(): void {
    this.#parts.keeper.forget(this);
    this.#listener?.onEnd();
  }

  /** Whether one more message is within what a minute allows. */
  #isWithinRate(): boolean {
    const now = performance.now();
    if (now - this.#minuteSince >= minuteMs) [this.#minuteSince, this.#minuteCount] = [now, 0];
    this.#minuteCount += 1;
    return this.#minuteCount <= messagesPerMinuteMax;
  }

  async #take(text: string): Promise<void> {
    try {
      await this.#listener?.onMessage(text);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'message of a live socket failed');
      this.end(closeCodes.internal);
    } finally {
      this.#waitingCount -= 1;
      if (this.#waitingCount === 0) this.#last = null;
    }
  }
}

function notePong(this: WebSocket): void {
  servedOf(this)?.notePong();
}

/** `ws` gives one Buffer for each message unless asked otherwise. */
function takeMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  servedOf(this)?.noteMessage(data as Buffer, isBinary);
}

/** What is wrong with a client's bytes, `ws` tells it by closing; the error says nothing more. */
function ignoreError(): void {}

function noteClose(this: WebSocket): void {
  servedOf(this)?.noteClose();
}

function servedOf(webSocket: WebSocket): ServedSocket | null {
  return webSocket instanceof ServedWebSocket ? webSocket.served : null;
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
