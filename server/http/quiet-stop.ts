/** Ending an HTTP server without breaking a request that has reached it. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpApp } from './parts.ts';

export type Traffic = {
  /** Requests that have come so far. */
  readonly requestCount: () => number;
  /** Ballots that wait for their outcome, and so requests that wait for their answer. */
  readonly waitingCount: () => number;
  readonly connections: Connections;
};

/** The connections that Node does not end with its server. */
export type Connections = {
  /** Those on which nothing has come yet: browsers open some ahead of need. To Node they are not idle, because it waits for their first request. */
  endSilent(): void;
  /** Those that have become WebSockets. */
  endUpgraded(): void;
};

export function watchConnections(server: Server): Connections {
  const sockets = new Set<Socket>();
  const upgraded = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (_request, socket) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
  });
  return {
    endSilent() {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    },
    endUpgraded() {
      for (const socket of upgraded) socket.destroy();
    },
  };
}

/** Turns of the event loop without anything new, before what is on its way is taken to have arrived. */
const quietTurnsMin = 5;
/** Clients that never pause would keep the door open: then it is closed all the same. */
const quietMsMax = 500;
const idleCheckMs = 20;
/** How long the other side of a WebSocket may take to answer a goodbye. One that stays mute would hold up the end. */
const goodbyeMsMax = 500;

/**
 * Lets requests that stand in the system's buffers come in and be answered, then closes: closing at once would reset
 * their connections, because to Node a connection whose request it has not read is an idle one.
 */
export async function stopQuietly(app: HttpApp, { requestCount, waitingCount, connections }: Traffic): Promise<void> {
  const deadline = performance.now() + quietMsMax;
  let seenCount = -1;
  for (let quietTurns = 0; quietTurns < quietTurnsMin && performance.now() < deadline; quietTurns += 1) {
    if (requestCount() !== seenCount || waitingCount() > 0) quietTurns = 0;
    seenCount = requestCount();
    await nextTurn();
  }
  // A connection whose last answer is still being written is closed when that is done.
  const timer = setInterval(() => {
    app.server.closeIdleConnections();
    connections.endSilent();
  }, idleCheckMs);
  const goodbye = setTimeout(connections.endUpgraded, goodbyeMsMax);
  try {
    await app.close();
  } finally {
    clearInterval(timer);
    clearTimeout(goodbye);
  }
}
