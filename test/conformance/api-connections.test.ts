/** Connections that break, dribble, stay silent or outlive the server. */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createPoll, get, post } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openSocket, readToEnd, toBytes } from '../support/wire.ts';

const vote = '{"feature_id":1}';
const voteHead = 'POST /vote HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n';
const shortTimeouts = ['--headers-timeout-ms', '500', '--request-timeout-ms', '500'];
/**
 * For tests in which some of the requests are good: these, too, must have come by then, counted from the moment in which the
 * connection was taken, on a machine that has other things to do.
 */
const timeouts = ['--headers-timeout-ms', '4000', '--request-timeout-ms', '4000'];

async function countRows(server: TestServer): Promise<number> {
  return (await server.query('select 1 from ballots')).length;
}

async function isRefused(server: TestServer): Promise<boolean> {
  const answer = await get(`${server.url}/healthz`).catch(() => null);
  return answer === null || answer.status === 503;
}

test('rubbish behind a ballot does not deny the ballot', async () => {
  const server = await startTestServer();
  for (const rubbish of ['  garbage\r\n\r\n', '\u0000\u0001', `${voteHead}`.replace('HTTP/1.1', 'HTTP/7')]) {
    const before = await countRows(server);
    const socket = openSocket(server.url);
    socket.write(`${voteHead}${vote}${rubbish}`);
    const text = await readToEnd(socket);
    expect(await countRows(server)).toBe(before + 1);
    expect(text).toMatch(/^HTTP\/1\.1 200 /u);
    expect(text).not.toContain('"recorded":"no"');
  }
});

test('requests that come without waiting for answers are answered in their order', async () => {
  const server = await startTestServer();
  const socket = openSocket(server.url);
  const last = toBytes({ method: 'GET', path: '/result' }).toString('utf8');
  socket.write(`${voteHead}${vote}`.repeat(5) + `${voteHead}{"feature_id":9}` + last);
  const text = await readToEnd(socket);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map((match) => match[1]);
  expect(statuses).toEqual(['200', '200', '200', '200', '200', '400', '200']);
  expect(await countRows(server)).toBe(5);
});

test('a body that dribbles is cut off with 408, and nothing of it is recorded', async () => {
  const server = await startTestServer(...shortTimeouts);
  const socket = openSocket(server.url);
  socket.write(`${voteHead}{"feature_id"`);
  const text = await readToEnd(socket);
  expect(text).toMatch(/^HTTP\/1\.1 408 /u);
  expect(text).toMatch(/"code":"request_timeout".*"recorded":"no"/u);
  expect(text).toMatch(/^Request-Id: .+$/mu);
  expect(await countRows(server)).toBe(0);
});

test('a batch that dribbles keeps what was answered, and no refusal denies it', async () => {
  const server = await startTestServer('--preset', 'none', ...timeouts);
  const poll = await createPoll(server.url);
  const socket = openSocket(server.url);
  const head = `POST /api/v1/polls/${poll.id}/ballots:batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9999\r\n\r\n`;
  socket.write(`${head}{"selections":["1"],"userId":"a"}\n{"selections":`);
  const text = await readToEnd(socket);
  expect(text).toMatch(/^HTTP\/1\.1 200 /u);
  expect(text).toContain('"line":1,"outcome":"counted"');
  expect(text).not.toContain('"status":408');
  expect(await countRows(server)).toBe(1);
});

test('connections that say nothing neither hold up voters nor stay', async () => {
  const server = await startTestServer(...timeouts);
  const silent: Socket[] = [];
  for (let count = 0; count < 300; count += 1) {
    const socket = openSocket(server.url);
    await once(socket, 'connect');
    silent.push(socket);
  }
  expect((await post(`${server.url}/vote`, { feature_id: 1 })).status).toBe(200);
  await Promise.all(silent.map(readToEnd));
});

test('a client that was refused and does not hang up does not hold up the stop', async () => {
  const server = await startTestServer('--drain-timeout-ms', '600000');
  const socket = openSocket(server.url);
  onTestFinished(() => void socket.destroy());
  socket.setTimeout(0);
  socket.write('nonsense\r\n\r\n');
  await once(socket, 'data');
  await server.stop();
});

test('a stop answers what is half sent, ends kept connections with their answer, and takes nothing new', async () => {
  const server = await startTestServer();
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const uploads = Array.from({ length: 20 }, () => {
    const upload = request(`${server.url}/vote`, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 16 },
    });
    upload.write(vote.slice(0, 5));
    return upload;
  });
  // Each connection was taken before the server answers one that came later.
  await Promise.all(
    uploads.map((upload) => once(upload, 'socket').then(([socket]) => whenConnected(socket as Socket))),
  );
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  const stopped = server.running.stop();
  await expect.poll(() => isRefused(server)).toBe(true);
  const answers = uploads.map(async (upload) => {
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.end(vote.slice(5));
    const [response] = await answered;
    response.resume();
    return response.statusCode;
  });
  expect(await Promise.all(answers)).toEqual(Array(20).fill(200));
  await stopped;
  expect(await countRows(server)).toBe(20);
  expect(await isRefused(server)).toBe(true);
});

test('a stop waits for a batch that is under way', async () => {
  const server = await startTestServer('--preset', 'none', '--batch-ballots-max', '5', '--recorder-lanes', '1');
  const poll = await createPoll(server.url);
  const lines = Array.from({ length: 2_000 }, (_, user) => `{"selections":["1"],"userId":"u${user}"}\n`);
  const batch = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  batch.end(lines.join(''));
  const [response] = (await once(batch, 'response')) as [IncomingMessage];
  const stopped = server.running.stop();
  let text = '';
  for await (const chunk of response) text += String(chunk);
  await stopped;
  const outcomes = text.trim().split('\n');
  expect(outcomes).toHaveLength(2_000);
  expect(outcomes.filter((line) => line.includes('"counted"'))).toHaveLength(await countRows(server));
});

function whenConnected(socket: Socket): Promise<unknown> {
  return socket.connecting ? once(socket, 'connect') : Promise.resolve();
}
