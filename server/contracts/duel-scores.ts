/**
 * The live scores of the contract `duel` over Socket.IO 4 (https://socket.io/docs/v4/): `message` at the start, then `scores`.
 *
 * Every `scores` is the whole state, so a lost one does no harm: it is sent at every change, at most 10 a second, and at least once
 * a second. One timer serves all sockets, and the packet is encoded once. A socket that cannot take it at the moment
 * is passed over, and gets the state of a later moment: nothing gathers for it.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { DuelScores } from '../../protocol/duel.ts';
import type { Results } from '../board/results.ts';
import type { AddressOf } from '../lib/forwarding.ts';
import type { Keeper, Seat } from '../live/keeper.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';

export type ScoresFeed = {
  /** Tells every client goodbye and takes no more. The HTTP server is left to whoever made it. */
  stop(): void;
};

export type ScoresSource = {
  /** null while the poll hides its results, or is not at hand. */
  read(): DuelScores | null;
};

type Emitted = { message: (welcome: { text: string }) => void; scores: (json: string) => void };
type Heard = Record<string, (...args: unknown[]) => void>;

const tickMs = 100;
/** The contract has one state a second even where nothing changes; a little less, so that a late timer keeps to it. */
const silenceMsMax = 900;
/** What a client has to say is short: `subscribe` and the answers to pings. */
const messageBytesMax = 4_096;
const packetsPerMinuteMax = 120;

/** One connection of the protocol below, Engine.IO. */
type EngineSocket = {
  /** The request that it began with. */
  readonly request: IncomingMessage;
  on(event: 'packet' | 'close', listener: () => void): void;
  close(discard: boolean): void;
};

export function startScoresFeed(
  server: HttpServer,
  source: ScoresSource,
  { keeper, addressOf }: { readonly keeper: Pick<Keeper, 'admit' | 'noteFrames'>; readonly addressOf: AddressOf },
): ScoresFeed {
  const seats = createSeats(keeper, addressOf);
  const io = new Server<Heard, Emitted>(server, {
    maxHttpBufferSize: messageBytesMax,
    cors: { origin: '*' },
    perMessageDeflate: false,
    httpCompression: false,
    allowRequest: (request, decide) =>
      seats.take(request) ? decide(null, true) : decide('too_many_connections', false),
  });
  let sent = '';
  let sentAt = 0;

  io.on('connection', (socket) => {
    socket.emit('message', { text: 'Welcome!' });
    keeper.noteFrames('socketio', 1);
    const scores = source.read();
    if (scores === null) return;
    socket.emit('scores', JSON.stringify(scores));
    keeper.noteFrames('socketio', 1);
  });
  io.engine.on('connection', (connection: EngineSocket) => {
    endFloods(connection);
    connection.on('close', () => seats.giveBack(connection.request));
  });
  io.engine.on('connection_error', ({ req }: { req: IncomingMessage }) => seats.giveBack(req));

  const timer = setInterval(() => {
    if (io.engine.clientsCount === 0) return;
    const scores = source.read();
    if (scores === null) return;
    const text = JSON.stringify(scores);
    const at = performance.now();
    if (text === sent && at - sentAt < silenceMsMax) return;
    sent = text;
    sentAt = at;
    io.volatile.emit('scores', text);
    keeper.noteFrames('socketio', io.engine.clientsCount);
  }, tickMs);
  timer.unref();

  return {
    stop() {
      clearInterval(timer);
      io.disconnectSockets(true);
      io.engine.close();
    },
  };
}

type Seats = { take(request: IncomingMessage): boolean; giveBack(request: IncomingMessage): void };

/** The limits that hold for all live connections. A session takes its seat with its first request. */
function createSeats(keeper: Pick<Keeper, 'admit'>, addressOf: AddressOf): Seats {
  const seats = new WeakMap<IncomingMessage, Seat>();
  return {
    take(request) {
      const seat = keeper.admit(addressOf(request), 'socketio');
      if (seat === null) return false;
      seats.set(request, seat);
      // A WebSocket that breaks off before it is open is announced by nothing else.
      if (request.headers.upgrade !== undefined) request.socket.once('close', seat.release);
      return true;
    },
    giveBack: (request) => seats.get(request)?.release(),
  };
}

/**
 * Everybody gets the scores, so whatever a client subscribes to, there is nothing to do. Too much of it ends the connection:
 * pings are answered every 25 seconds, and nothing else is asked of a client.
 */
function endFloods(connection: EngineSocket): void {
  let countedSince = performance.now();
  let packetCount = 0;
  connection.on('packet', () => {
    const at = performance.now();
    if (at - countedSince > 60_000) [countedSince, packetCount] = [at, 0];
    packetCount += 1;
    if (packetCount > packetsPerMinuteMax) connection.close(true);
  });
}

export function createScoresSource(results: Pick<Results, 'tallyOf'>, findPoll: () => Poll | undefined): ScoresSource {
  return {
    read() {
      const poll = findPoll();
      const tally = poll === undefined ? null : results.tallyOf(poll, anyone);
      if (poll === undefined || tally === null) return null;
      const votesOf = (id: string): number => {
        const optionNo = poll.optionNoById.get(id);
        return optionNo === undefined ? 0 : tally.votesOf(optionNo);
      };
      return { a: votesOf('a'), b: votesOf('b') };
    },
  };
}
