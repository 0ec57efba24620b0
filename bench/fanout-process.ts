/**
 * Sends the frames of one poll to every socket that is connected, as fast as they are read, in one of three ways:
 * `hub` is the server's own, `ws` a loop over `ws` sockets that sends one ready-made buffer, `net` a loop that writes the same bytes to the connections.
 * A thousand rounds a second at most in each; who holds more than 64 KiB unread is left out of a round. GET /rss tells the memory in bytes.
 */
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Results } from '../server/board/results.ts';
import type { PollTally } from '../server/board/tally-board.ts';
import { createHub } from '../server/live/hub.ts';
import { createKeeper } from '../server/live/keeper.ts';
import { fullBytes } from '../server/live/subscriber.ts';
import { serveLiveProtocol } from '../server/live/live-protocol.ts';
import { createSocketDoor } from '../server/live/websocket.ts';
import { makePoll } from '../server/poll/test-support.ts';
import { anyone } from '../server/poll/visibility.ts';
import { createFrame } from '../server/live/frame.ts';

type Way = 'hub' | 'ws' | 'net';

const [way, moving] = process.argv.slice(2) as [Way, 'idle' | undefined]; // As bench/fanout.ts starts it.
const roundMs = 1;
const poll = makePoll({}, 5);
let version = 1_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void; // The flag above makes it.

const server = createServer((_request, response) => {
  collectGarbage();
  response.end(String(process.memoryUsage().rss));
});
const ways: Readonly<Record<Way, () => void>> = { hub: serveByHub, ws: serveByWs, net: serveByNet };
ways[way]();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});

function readTally(): PollTally {
  return {
    version,
    ballots: version,
    votesOf: () => version,
    lastTenMinutes: version,
    lastTenMinutesOf: () => version,
    votesPerSecond: 1_000,
  };
}

function serveByHub(): void {
  const results: Results = {
    epoch: '0123456789abcdef',
    now: Date.now,
    statusOf: () => 'open',
    tallyOf: readTally,
    eachStanding: () => undefined,
    leaders: () => [],
  };
  const limits = { connectionsMax: 100_000, connectionsPerAddressMax: 100_000, heartbeatMs: 15_000, now: Date.now };
  const door = createSocketDoor({
    keeper: createKeeper(limits),
    addressOf: ({ socket }) => socket.remoteAddress ?? '',
    log: pino({ level: 'silent' }),
  });
  const hub = createHub({ results, pollNow: () => poll, frameMs: moving === 'idle' ? 100 : roundMs });
  if (moving !== 'idle') setInterval(() => (version += 1), roundMs);
  const protocolParts = { hub, findPoll: () => Promise.resolve(poll), viewerOf: () => Promise.resolve(anyone) };
  server.on('upgrade', (request, socket, head) => {
    door.open({ request, socket, head }, (liveSocket) => serveLiveProtocol(protocolParts, liveSocket, request.headers));
  });
}

/** The very bytes that the hub sends. */
function toFrame() {
  version += 1;
  const counts = poll.options.map(({ id }) => ({ optionId: id, votes: version, lastTenMinutes: version }));
  const rates = { turnout: null, lastTenMinutes: version, votesPerSecond: 1_000 };
  const tally = { epoch: '0123456789abcdef', status: 'open', version, total: version, counts, ...rates };
  return createFrame({ type: 'tally', poll: poll.id, ...tally } as { type: string });
}

function openWebSockets(onOpen: (webSocket: WebSocket, socket: Duplex) => void): void {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  server.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => onOpen(webSocket, socket));
  });
}

function serveByWs(): void {
  const sockets = new Set<WebSocket>();
  openWebSockets((webSocket) => sockets.add(webSocket));
  if (moving === 'idle') return;
  setInterval(() => {
    const text = Buffer.from(toFrame().text);
    for (const socket of sockets) if (socket.bufferedAmount <= fullBytes) socket.send(text, { binary: false });
  }, roundMs);
}

function serveByNet(): void {
  const sockets = new Set<Duplex>();
  openWebSockets((_webSocket, socket) => sockets.add(socket));
  setInterval(() => {
    const bytes = toFrame().webSocketBytes();
    for (const socket of sockets) if (socket.writableLength <= fullBytes) socket.write(bytes);
  }, roundMs);
}
