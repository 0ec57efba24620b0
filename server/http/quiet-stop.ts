/** Ending an HTTP server without breaking a request that has reached it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpApp } from './parts.ts';

export type Traffic = {
  /** Requests that have come so far. */
  readonly requestCount: () => number;
  /** Ballots that wait for their outcome, and so requests that wait for their answer. */
  readonly waitingCount: () => number;
};

/** Turns of the event loop without anything new, before what is on its way is taken to have arrived. */
const quietTurnsMin = 5;
/** Clients that never pause would keep the door open: then it is closed all the same. */
const quietMsMax = 500;
const idleCheckMs = 20;

/**
 * Lets requests that stand in the system's buffers come in and be answered, then closes: closing at once would reset
 * their connections, because to Node a connection whose request it has not read is an idle one.
 */
export async function stopQuietly(app: HttpApp, { requestCount, waitingCount }: Traffic): Promise<void> {
  const deadline = performance.now() + quietMsMax;
  let seenCount = -1;
  for (let quietTurns = 0; quietTurns < quietTurnsMin && performance.now() < deadline; quietTurns += 1) {
    if (requestCount() !== seenCount || waitingCount() > 0) quietTurns = 0;
    seenCount = requestCount();
    await nextTurn();
  }
  // A connection whose last answer is still being written is closed when that is done.
  const timer = setInterval(() => app.server.closeIdleConnections(), idleCheckMs);
  try {
    await app.close();
  } finally {
    clearInterval(timer);
  }
}
