/**
 * Looks after all live connections of the process: how many there may be, heartbeats for those that are silent, an end for those that are gone
 * or do not read, and for all of them when the server stops. One timer, which runs while there are connections.
 */
import { closeCodes, type CloseCode } from '../../protocol/close-codes.ts';
import { createFrame } from './frame.ts';
import { backlogBytesMax, fullMsMax, type Connection } from './subscriber.ts';

export type KeeperOptions = {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly heartbeatMs: number;
  /** The ledger's clock. */
  readonly now: () => number;
};

/** A place for one connection. Given back once, whatever happens to the connection. */
export type Seat = { readonly release: () => void };

export type Transport = 'websocket' | 'events' | 'socketio' | 'long_poll';

export type Traffic = { readonly transport: Transport; readonly connections: number; readonly frames: number };

export type Keeper = {
  /** null where there are too many, in all or from this address, and after the end. */
  admit(address: string, transport: Transport): Seat | null;
  /** Looks after a connection until it is forgotten. `heartbeats`: whether one that is silent gets heartbeat frames; true unless said otherwise. */
  keep(connection: Connection, transport: Transport, habits?: { readonly heartbeats: boolean }): void;
  forget(connection: Connection): void;
  count(): number;
  /** Frames that were sent to connections that are kept elsewhere. */
  noteFrames(transport: Transport, count: number): void;
  /** Connections that there are, and frames that were sent since the start. */
  traffic(): Traffic[];
  endAll(reason: CloseCode): void;
  /** Calls the listener at that end, unless the answered function was called before. For those who wait without a connection here. */
  onEnd(listener: () => void): () => void;
};

type Kept = {
  readonly transport: Transport;
  readonly heartbeats: boolean;
  sentCount: number;
  silentMs: number;
  fullMs: number;
  unprobedMs: number;
  unanswered: number;
};

const transports = ['websocket', 'events', 'socketio', 'long_poll'] as const satisfies Transport[];
const sweepMsMax = 1_000;
const sweepsPerHeartbeat = 5;
const unansweredMax = 2;

export function createKeeper({ connectionsMax, connectionsPerAddressMax, heartbeatMs, now }: KeeperOptions): Keeper {
  const kept = new Map<Connection, Kept>();
  const seats = createSeats(connectionsMax, connectionsPerAddressMax);
  const sweepMs = Math.min(sweepMsMax, heartbeatMs / sweepsPerHeartbeat);
  const listeners = new Set<() => void>();
  const frames = createFrameCounts();
  let ended: CloseCode | null = null;
  let timer: NodeJS.Timeout | null = null;

  function sweep(): void {
    const heartbeat = createFrame({ type: 'heartbeat', at: new Date(now()).toISOString() } as { type: string });
    for (const [connection, state] of kept) {
      const reason = findEnd(connection, state, { sweepMs, heartbeatMs });
      if (reason !== null) {
        connection.end(reason);
      } else if (state.heartbeats && state.silentMs >= heartbeatMs && !connection.full()) {
        state.silentMs = 0;
        connection.send(heartbeat);
        state.sentCount = connection.sentCount();
      }
    }
    if (kept.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  }

  return {
    admit: (address, transport) => (ended === null ? seats.take(address, transport) : null),
    keep(connection, transport, { heartbeats } = { heartbeats: true }) {
      if (ended !== null) connection.end(ended);
      const times = { sentCount: 0, silentMs: 0, fullMs: 0, unprobedMs: 0, unanswered: 0 };
      kept.set(connection, { transport, heartbeats, ...times });
      timer ??= setInterval(sweep, sweepMs).unref();
    },
    forget(connection) {
      const state = kept.get(connection);
      if (state === undefined) return;
      kept.delete(connection);
      frames.note(state.transport, connection.sentCount());
    },
    count: seats.count,
    noteFrames: frames.note,
    traffic() {
      const sent = frames.with(kept);
      return transports.map((transport) => ({
        transport,
        connections: seats.countOf(transport),
        frames: sent.get(transport) ?? 0,
      }));
    },
    onEnd(listener) {
      if (ended !== null) queueMicrotask(listener);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    endAll(reason) {
      ended = reason;
      for (const listener of listeners) listener();
      for (const connection of kept.keys()) connection.end(reason);
    },
  };
}

/** Notes how the connection was since the last sweep, and answers why it is to end; null where it is not. */
function findEnd(
  connection: Connection,
  state: Kept,
  { sweepMs, heartbeatMs }: { readonly sweepMs: number; readonly heartbeatMs: number },
): CloseCode | null {
  const sentCount = connection.sentCount();
  state.silentMs = sentCount === state.sentCount ? state.silentMs + sweepMs : 0;
  state.sentCount = sentCount;
  state.fullMs = connection.full() ? state.fullMs + sweepMs : 0;
  if (state.fullMs >= fullMsMax || connection.backlogBytes() >= backlogBytesMax) return closeCodes.subscriber_slow;
  state.unprobedMs += sweepMs;
  if (state.unprobedMs >= heartbeatMs) {
    state.unprobedMs = 0;
    state.unanswered = connection.probe() ? 0 : state.unanswered + 1;
  }
  return state.unanswered > unansweredMax ? closeCodes.idle : null;
}

/** Connections count for themselves what they send, so that sending costs nothing more. This adds up what those sent that have ended. */
function createFrameCounts() {
  const ended = new Map<Transport, number>();

  function add(counts: Map<Transport, number>, transport: Transport, count: number): void {
    counts.set(transport, (counts.get(transport) ?? 0) + count);
  }

  return {
    note: (transport: Transport, count: number) => add(ended, transport, count),
    with(kept: ReadonlyMap<Connection, Kept>): ReadonlyMap<Transport, number> {
      const counts = new Map(ended);
      for (const [connection, { transport }] of kept) add(counts, transport, connection.sentCount());
      return counts;
    },
  };
}

function createSeats(countMax: number, perAddressMax: number) {
  const byAddress = new Map<string, number>();
  const byTransport = new Map<Transport, number>();
  let count = 0;

  function giveBack(address: string, transport: Transport): void {
    count -= 1;
    byTransport.set(transport, (byTransport.get(transport) ?? 1) - 1);
    const left = (byAddress.get(address) ?? 1) - 1;
    if (left === 0) byAddress.delete(address);
    else byAddress.set(address, left);
  }

  return {
    count: () => count,
    countOf: (transport: Transport) => byTransport.get(transport) ?? 0,
    take(address: string, transport: Transport): Seat | null {
      const fromAddress = byAddress.get(address) ?? 0;
      if (count >= countMax || fromAddress >= perAddressMax) return null;
      count += 1;
      byAddress.set(address, fromAddress + 1);
      byTransport.set(transport, (byTransport.get(transport) ?? 0) + 1);
      let released = false;
      return {
        release() {
          if (!released) giveBack(address, transport);
          released = true;
        },
      };
    },
  };
}
