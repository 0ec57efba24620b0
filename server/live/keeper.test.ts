import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closeCodes, type CloseCode } from '../../protocol/close-codes.ts';
import { createKeeper } from './keeper.ts';
import { backlogBytesMax, fullMsMax, type Connection } from './subscriber.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits = { connectionsMax: 3, connectionsPerAddressMax: 2, heartbeatMs: 10_000, now: () => 0 };

function createConnection(change: Partial<Connection> = {}) {
  const sent: string[] = [];
  const ends: CloseCode[] = [];
  const connection: Connection = {
    send: (frame) => sent.push(frame.type),
    full: () => false,
    backlogBytes: () => 0,
    sentCount: () => sent.length,
    probe: () => true,
    end: (reason) => ends.push(reason),
    ...change,
  };
  return { connection, sent, ends };
}

test('seats are counted in all and by address, and each is given back once', () => {
  const keeper = createKeeper(limits);
  const [a, b] = [keeper.admit('a', 'websocket'), keeper.admit('a', 'websocket')];
  expect(keeper.admit('a', 'websocket')).toBeNull();
  expect(keeper.admit('b', 'websocket')).not.toBeNull();
  expect(keeper.admit('c', 'websocket')).toBeNull();
  a?.release();
  a?.release();
  b?.release();
  expect(keeper.count()).toBe(1);
  expect(
    [keeper.admit('c', 'websocket'), keeper.admit('c', 'websocket'), keeper.admit('c', 'websocket')].map(
      (seat) => seat !== null,
    ),
  ).toEqual([true, true, false]);
});

test('a silent connection gets a heartbeat, one that is told things does not', () => {
  const keeper = createKeeper(limits);
  const { connection, sent } = createConnection();
  keeper.keep(connection, 'websocket');
  vi.advanceTimersByTime(9_000);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(sent).toEqual(['heartbeat']);
  sent.push('tally');
  vi.advanceTimersByTime(9_000);
  expect(sent).toEqual(['heartbeat', 'tally']);
});

test('one that stays full, or holds too much, is ended as slow', () => {
  const keeper = createKeeper(limits);
  const full = createConnection({ full: () => true });
  const heavy = createConnection({ backlogBytes: () => backlogBytesMax });
  keeper.keep(full.connection, 'websocket');
  keeper.keep(heavy.connection, 'websocket');
  vi.advanceTimersByTime(1_000);
  expect([full.ends, heavy.ends]).toEqual([[], [closeCodes.subscriber_slow]]);
  vi.advanceTimersByTime(fullMsMax);
  expect(full.ends).toContainEqual(closeCodes.subscriber_slow);
});

test('one that gives no sign of life for longer than two heartbeats is ended as idle', () => {
  const keeper = createKeeper(limits);
  const { connection, ends } = createConnection({ probe: () => false });
  keeper.keep(connection, 'websocket');
  vi.advanceTimersByTime(21_000);
  expect(ends).toEqual([]);
  vi.advanceTimersByTime(10_000);
  expect(ends).toContainEqual(closeCodes.idle);
});

test('at the end all are told, and whoever comes then is told at once', () => {
  const keeper = createKeeper(limits);
  const { connection, ends } = createConnection();
  let heard = 0;
  keeper.keep(connection, 'websocket');
  keeper.onEnd(() => (heard += 1));
  const stop = keeper.onEnd(() => (heard += 10));
  stop();
  keeper.endAll(closeCodes.shutting_down);
  const late = createConnection();
  keeper.keep(late.connection, 'websocket');
  expect([ends, late.ends, heard, keeper.admit('a', 'websocket')]).toEqual([
    [closeCodes.shutting_down],
    [closeCodes.shutting_down],
    1,
    null,
  ]);
});
