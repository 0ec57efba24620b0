import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPoll, get, post } from '../support/http.ts';
import { shareTestServer, startTestServer } from '../support/server.ts';
import { openEventStream, openSocketStream } from '../support/streams.ts';
import { readToEnd, openSocket } from '../support/wire.ts';

const shared = shareTestServer('--preset', 'none', '--live-frame-ms', '10', '--live-heartbeat-ms', '200');

test.for([
  '{',
  'null',
  '[]',
  '7',
  '{"type":"dance"}',
  '{"type":"subscribe","poll":7}',
  '{"type":"subscribe","poll":"x","more":1}',
  '',
])('the message %j ends the socket with 4500', async (message) => {
  const stream = await openSocketStream(shared().url, [message as never]);
  expect(await stream.ended).toEqual({ code: 4500, reason: 'request_malformed' });
});

test('binary messages end the socket, and so do messages over 4 KiB', async () => {
  const binary = await openSocketStream(shared().url);
  binary.socket.send(Buffer.from('{"type":"ping"}'));
  expect((await binary.ended).code).toBe(4500);
  const long = await openSocketStream(shared().url);
  long.send(JSON.stringify({ type: 'subscribe', poll: 'x'.repeat(5_000) }));
  expect((await long.ended).code).toBe(1009);
});

test('what cannot be done is told, and the socket stays', async () => {
  const server = shared();
  const { id } = await createPoll(server.url);
  const stream = await openSocketStream(server.url, [
    { type: 'subscribe', poll: 'no-such-poll' },
    { type: 'subscribe', poll: '\u0000' },
    { type: 'subscribe' },
    { type: 'unsubscribe', poll: 'no-such-poll' },
    { type: 'unsubscribe_leaderboard' },
    { type: 'subscribe', poll: id },
  ]);
  await stream.next('snapshot');
  const errors = stream.frames.flatMap((frame) => (frame.type === 'error' ? [frame.code] : []));
  expect(errors).toEqual(['poll_not_found', 'poll_not_found', 'request_malformed', 'poll_not_found']);
});

test('a socket follows fifty polls and no more', async () => {
  const server = shared();
  const polls = await Promise.all(Array.from({ length: 51 }, () => createPoll(server.url)));
  const ids = polls.map(({ id }) => id);
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', polls: ids.slice(0, 50) }]);
  stream.send({ type: 'subscribe', poll: ids[50] ?? '' });
  expect(await stream.next('error')).toMatchObject({ code: 'rate_limited', poll: ids[50] });
  expect(stream.frames.filter(({ type }) => type === 'snapshot')).toHaveLength(50);
  stream.send({ type: 'unsubscribe', poll: ids[0] ?? '' });
  stream.send({ type: 'subscribe', poll: ids[50] ?? '' });
  await stream.next('snapshot', ({ poll }) => poll === ids[50]);
});

test('more messages than a minute allows end the socket with 4029', async () => {
  const stream = await openSocketStream(shared().url);
  for (let message = 0; message < 121; message += 1) {
    stream.send({ type: 'ping' });
    await sleep(1);
  }
  expect(await stream.ended).toEqual({ code: 4029, reason: 'rate_limited' });
});

test('no more connections are taken than there may be, of any kind, and a place that is left is free again', async () => {
  const server = await startTestServer('--preset', 'none', '--sockets-per-address-max', '2');
  const poll = await createPoll(server.url);
  const first = await openSocketStream(server.url);
  const second = await openEventStream(`${server.url}/api/v1/polls/${poll.id}/events`);
  await second.next('snapshot');
  await expect(openSocketStream(server.url)).rejects.toThrow('503');
  const refused = await get(`${server.url}/api/v1/polls/${poll.id}/events`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(refused.json).toMatchObject({ code: 'too_many_connections' });
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally?wait=1&since=0`)).status).toBe(503);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(200);
  first.close();
  await expect
    .poll(async () => {
      const stream = await openSocketStream(server.url).catch(() => null);
      stream?.close();
      return stream !== null;
    })
    .toBe(true);
});

test('pages of other origins may not open a socket unless they are configured', async () => {
  const server = await startTestServer(
    '--preset',
    'none',
    '--cors-origins',
    'https://app.example',
    '--public-url',
    'https://vote.example',
  );
  for (const origin of ['https://evil.example', 'null']) {
    await expect(openSocketStream(server.url, [], { origin })).rejects.toThrow('403');
  }
  for (const origin of ['https://app.example', 'https://vote.example', server.url]) {
    (await openSocketStream(server.url, [], { origin })).close();
  }
});

test('a client that shows no sign of life is let go', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }], { autoPong: false });
  expect((await stream.ended).code).toBe(4002);
});

test('a client that answers pings may be silent for long', async () => {
  const stream = await openSocketStream(shared().url, [
    { type: 'subscribe', poll: (await createPoll(shared().url)).id },
  ]);
  for (let beat = 0; beat < 6; beat += 1) await stream.next('heartbeat');
  expect(stream.socket.readyState).toBe(WebSocket.OPEN);
});

test('an upgrade that is none, or of nothing that there is, is answered', async () => {
  const server = shared();
  const upgrade = (path: string, more = ''): Promise<string> => {
    const socket = openSocket(server.url);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`);
    return readToEnd(socket);
  };
  expect(await upgrade('/api/v1/live')).toMatch(/^HTTP\/1\.1 400 /u);
  expect(await upgrade('/api/v1/live', 'Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n')).toMatch(
    /^HTTP\/1\.1 400 /u,
  );
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
});

test('one subscriber that never reads delays nobody, costs a bounded amount, and is let go', async () => {
  const server = await startTestServer('--preset', 'none', '--live-frame-ms', '10');
  const options = Array.from({ length: 200 }, (_, index) => `Option ${index} ${'x'.repeat(50)}`);
  const poll = await createPoll(server.url, { electorate: 'open', options });
  const reader = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  const lazy = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  await Promise.all([reader.next('snapshot'), lazy.next('snapshot')]);
  lazy.socket.pause();
  let total = 0;
  let gone = false;
  void lazy.ended.then(() => {
    gone = true;
  });
  const online = (): number => server.running.hub.onlineOf({ pollNo: 1 });
  // What the lazy one misses fills the buffers on the way to it first. The test's own limit ends it.
  while (online() === 2) {
    await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
    total += 1;
    await reader.next('tally', (frame) => frame.total >= total);
  }
  expect(online()).toBe(1);
  lazy.socket.resume();
  await expect.poll(() => gone, { timeout: 20_000 }).toBe(true);
});
