/** Metrics, and the port that they are on. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { expect, onTestFinished, test } from 'vitest';
import { createPoll, get, post, send } from '../support/http.ts';
import { flagsOfLive, vote } from '../support/live-votes.ts';
import {
  checkConventions,
  findUnbounded,
  labelBounds,
  parseExposition,
  scrape,
  seriesOf,
  valueOf,
  type LabelBounds,
} from '../support/metrics.ts';
import { createDatabase, startOn, startTestServer, type TestServer } from '../support/server.ts';

const flags = ['--preset', 'none', '--metrics-port', '0'];

function cast({ url }: TestServer, pollId: string, userId: string, key?: string) {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return post(`${url}/api/v1/polls/${pollId}/ballots`, { selections: ['1'], userId }, headers);
}

/** A route label is a template that the server has. */
function boundsOf({ running: { app } }: TestServer): LabelBounds {
  return {
    ...labelBounds,
    route: (url, { method = '' }) => url === 'none' || url === '*' || app.hasRoute({ method, url }),
  };
}

test('ballots are told by what became of them', async () => {
  const server = await startTestServer(...flags);
  const poll = await createPoll(server.url);
  for (const user of ['a', 'b', 'c']) await cast(server, poll.id, user, user.repeat(20));
  await cast(server, poll.id, 'a', 'a'.repeat(20));
  await cast(server, poll.id, 'b');
  await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['nobody'], userId: 'd' });
  await post(`${server.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  await cast(server, poll.id, 'e');
  const metrics = await scrape(server.running.metricsPort);
  const ballots = (outcome: string, code: string) =>
    valueOf(metrics, 'hustings_ballots_total', { outcome, code, log: 'direct' });
  expect([ballots('counted', ''), ballots('repeated', ''), ballots('received', '')]).toEqual([3, 1, 0]);
  expect(ballots('refused', 'ballot_already_cast')).toBe(1);
  expect(ballots('refused', 'ballot_invalid')).toBe(1);
  expect(ballots('refused', 'poll_closed')).toBe(1);
  const batches = valueOf(metrics, 'hustings_recorder_batch_duration_seconds_count');
  expect(batches).toBeGreaterThanOrEqual(3);
  expect(valueOf(metrics, 'hustings_recorder_batch_ballots_count')).toBe(batches);
  expect(valueOf(metrics, 'hustings_database_pool_connections')).toBeGreaterThan(0);
  expect(valueOf(metrics, 'hustings_board_stale_seconds')).toBeLessThan(60);
});

test('every name, unit, help text and bucket is as the conventions ask for', async () => {
  const server = await startTestServer(...flags);
  await createPoll(server.url);
  const metrics = await scrape(server.running.metricsPort);
  expect(checkConventions(metrics)).toEqual([]);
  expect(findUnbounded(metrics, boundsOf(server))).toEqual([]);
  expect([...metrics.keys()].filter((name) => name.startsWith('hustings_')).length).toBeGreaterThan(15);
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']) {
    expect(metrics.get(name)?.series, name).toHaveLength(1);
  }
});

test('the checker finds what it is for', () => {
  const wrong = parseExposition(
    [
      '# HELP hustings_lag_ms Lag.',
      '# TYPE hustings_lag_ms gauge',
      'hustings_lag_ms{poll="7"} 1',
      'hustings_lag_ms{poll="7"} 2',
      '# HELP hustings_things Things',
      '# TYPE hustings_things counter',
      'hustings_other 1',
      '# HELP hustings_wait_seconds Waiting.',
      '# TYPE hustings_wait_seconds histogram',
      'hustings_wait_seconds_bucket{le="1"} 3',
      'hustings_wait_seconds_bucket{le="+Inf"} 2',
      'hustings_wait_seconds_count 2\n',
    ].join('\n'),
  );
  expect(checkConventions(wrong)).toEqual([
    'hustings_lag_ms: has a base unit, written out',
    'hustings_lag_ms: ends with _seconds',
    'hustings_lag_ms has a series twice',
    'hustings_things: has a help text of whole sentences',
    'hustings_things: ends with _total, because it is a counter',
    'hustings_other is not of hustings_things',
    'hustings_wait_seconds{}: bucket +Inf',
  ]);
  expect(findUnbounded(wrong, labelBounds)).toHaveLength(2);
  expect(() => parseExposition('no metric at all\n')).toThrow('No line');
});

test('ten thousand polls, and addresses without end, make no new series', async () => {
  const server = await startTestServer(...flagsOfLive, '--metrics-port', '0');
  const ask = async (pollId: string): Promise<void> => {
    expect((await vote(server, pollId, 'A')).status).toBe(200);
    expect((await get(`${server.url}/api/v1/results/${pollId}`)).status).toBe(200);
    await get(`${server.url}/nowhere/${pollId}`);
    await send('DELETE', `${server.url}/${pollId}`);
  };
  await ask('the first');
  const before = await scrape(server.running.metricsPort);
  for (let batch = 0; batch < 100; batch += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => ask(`poll ${batch} ${index}`)));
  }
  const after = await scrape(server.running.metricsPort);
  expect(await server.query('select count(*)::integer as polls from polls')).toEqual([{ polls: 10_001 }]);
  expect(valueOf(after, 'hustings_ballots_total', { outcome: 'counted' })).toBe(10_001);
  const ours = (all: typeof after) => seriesOf(all).filter((series) => series.startsWith('hustings_'));
  expect(ours(after)).toEqual(ours(before));
  expect(seriesOf(after).length).toBeLessThan(500);
  expect(findUnbounded(after, boundsOf(server))).toEqual([]);
  expect(checkConventions(after)).toEqual([]);
});

test('requests are told by the template of their route, their method and the class of their status', async () => {
  const server = await startTestServer(...flags);
  const poll = await createPoll(server.url);
  await get(`${server.url}/api/v1/polls/${poll.id}`);
  await get(`${server.url}/api/v1/polls/${poll.slug}`);
  await get(`${server.url}/api/v1/polls/none`);
  await send('PATCH', `${server.url}/nowhere`, {});
  const metrics = await scrape(server.running.metricsPort);
  const requests = (labels: Record<string, string>) => valueOf(metrics, 'hustings_http_requests_total', labels);
  const [route = ''] = [...(metrics.get('hustings_http_requests_total')?.series ?? [])].flatMap(({ labels }) =>
    labels['route']?.startsWith('/api/v1/polls/:') === true ? [labels['route']] : [],
  );
  expect(route).toMatch(/^\/api\/v1\/polls\/:\w+$/u);
  expect(requests({ route, method: 'GET', status: '2xx' })).toBe(2);
  expect(requests({ route, method: 'GET', status: '4xx' })).toBe(1);
  expect(requests({ route: 'none', method: 'PATCH', status: '4xx' })).toBe(1);
  expect(valueOf(metrics, 'hustings_http_request_duration_seconds_count', { route, method: 'GET' })).toBe(3);
});

test('live connections and their frames are told by transport, and counted on when they end', async () => {
  const server = await startTestServer(...flags);
  const poll = await createPoll(server.url);
  const events = new AbortController();
  const stream = await fetch(`${server.url}/api/v1/polls/${poll.id}/events`, {
    headers: { accept: 'text/event-stream' },
    signal: events.signal,
  });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const reader = stream.body?.getReader();
  await reader?.read();
  const of = async (name: string, transport: string) =>
    valueOf(await scrape(server.running.metricsPort), name, { transport });
  expect(await of('hustings_live_connections', 'events')).toBe(1);
  const sent = await of('hustings_live_frames_total', 'events');
  expect(sent).toBeGreaterThan(0);
  events.abort();
  await expect.poll(() => of('hustings_live_connections', 'events')).toBe(0);
  expect(await of('hustings_live_frames_total', 'events')).toBeGreaterThanOrEqual(sent);

  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/live`);
  await once(socket, 'open');
  expect(await of('hustings_live_connections', 'websocket')).toBe(1);
  socket.close();
  await expect.poll(() => of('hustings_live_connections', 'websocket')).toBe(0);
});

test('the port answers probes, knows nothing else, and ends with the server', async () => {
  const server = await startTestServer(...flags);
  const base = `http://127.0.0.1:${server.running.metricsPort}`;
  expect((await get(`${base}/healthz`)).json).toEqual({ status: 'alive' });
  expect((await get(`${base}/readyz`)).json).toEqual({ status: 'ready', ledger: 'ok', log: 'ok', board: 'ok' });
  expect((await get(`${base}/`)).status).toBe(404);
  expect((await get(`${base}/constructor`)).status).toBe(404);
  expect((await post(`${base}/metrics`, {})).status).toBe(405);
  expect((await send('HEAD', `${base}/metrics`)).text).toBe('');
  server.running.ledger.pool.query = () => Promise.reject(new Error('away')) as never;
  const ready = await get(`${base}/readyz`);
  expect(ready.status).toBe(503);
  expect(ready.json).toMatchObject({
    status: 'not_ready',
    ledger: 'The ledger did not answer within 2000 ms.',
    log: 'ok',
  });
  await server.stop();
  await expect(get(`${base}/healthz`)).rejects.toThrow();
});

test('metrics are off unless a port is named, and never on the port of the voters', async () => {
  const server = await startTestServer('--preset', 'none');
  expect(server.running.metricsPort).toBeNull();
  expect((await get(`${server.url}/metrics`)).status).toBe(404);
});

test('a port that is taken stops the start', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo; // It listens on TCP.
  const start = startOn(await createDatabase(), ['--preset', 'none', '--metrics-port', String(port)]);
  await expect(start).rejects.toThrow('EADDRINUSE');
});
