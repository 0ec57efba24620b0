import { connect } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { errors } from '../../server/errors.ts';
import { createPoll, get, post, send } from '../support/http.ts';
import { startTestServer } from '../support/server.ts';

const snapshotFile = fileURLToPath(new URL('openapi.snapshot.json', import.meta.url));

test('every refusal is a problem with a code of the table, and names its request', async () => {
  const server = await startTestServer();
  const refused = [
    await get(`${server.url}/nowhere`),
    await send('DELETE', `${server.url}/api/v1/polls`),
    await get(`${server.url}/api/v1/polls/none`),
    await post(`${server.url}/api/v1/polls`, '{'),
    await get(`${server.url}/%E0%A4%A`),
    await get(`${server.url}/api/v1/polls/${'x'.repeat(300)}`),
    await get(`${server.url}/api/v1/polls/a%00b`),
    await get(`${server.url}/api/v1/polls/00000000-0000-4000-8000-00000000zzzz`),
  ];
  for (const { status, headers, json } of refused) {
    expect(status).toBeLessThan(500);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    const problem = json as { code: keyof typeof errors; status: number; type: string; instance: string };
    expect(errors[problem.code].status).toBe(status);
    expect(problem).toMatchObject({ status, type: `/problems/${problem.code}`, recorded: 'no' });
    expect(problem.instance).toBe(`urn:request:${headers.get('request-id')}`);
  }
  expect(refused.map(({ status }) => status)).toEqual([404, 405, 404, 400, 400, 404, 404, 404]);
});

test('alive and ready are told apart', async () => {
  const server = await startTestServer();
  expect((await get(`${server.url}/healthz`)).json).toEqual({ status: 'alive' });
  const parts = { ledger: 'ok', log: 'ok', board: 'ok' };
  expect((await get(`${server.url}/readyz`)).json).toEqual({ status: 'ready', ...parts });
  server.running.ledger.pool.query = () => Promise.reject(new Error('away')) as never;
  const ready = await get(`${server.url}/readyz`);
  expect([ready.status, ready.headers.get('retry-after'), ready.json]).toMatchObject([
    503,
    '1',
    { status: 'not_ready', ...parts, ledger: 'The ledger did not answer within 2000 ms.' },
  ]);
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
});

test('the API describes itself, and a changed description means a look at the version of the protocol', async () => {
  const server = await startTestServer();
  const document = (await get(`${server.url}/api/v1/openapi.json`)).json as {
    openapi: string;
    info: object;
    paths: object;
  };
  expect(document.openapi).toBe('3.1.0');
  const { info: _info, ...shapes } = document;
  const text = `${JSON.stringify({ protocolVersion: PROTOCOL_VERSION, ...shapes }, null, 2)}\n`;
  // `UPDATE_SNAPSHOTS=1 npm test -- service` writes it anew, for the eyes of a reviewer.
  if (process.env['UPDATE_SNAPSHOTS'] === '1' || !existsSync(snapshotFile)) writeFileSync(snapshotFile, text);
  expect(
    text,
    'shapes changed: write the snapshot anew, and raise PROTOCOL_VERSION if an old client could misread them',
  ).toBe(readFileSync(snapshotFile, 'utf8'));
});

test('the API page loads nothing from another host', async () => {
  const server = await startTestServer();
  const page = await get(`${server.url}/docs`);
  expect(page.status).toBe(200);
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/gu)].map(
    (match) => new URL(match[1] ?? '', `${server.url}/docs/`),
  );
  expect(assets.length).toBeGreaterThan(3);
  for (const asset of assets) {
    expect(asset.origin).toBe(server.url);
    expect((await get(asset.href)).status).toBe(200);
  }
});

test('a client that dribbles its request is cut off in time, with an answer', async () => {
  const server = await startTestServer('--headers-timeout-ms', '500', '--request-timeout-ms', '500');
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write('POST /vote HTTP/1.1\r\nHost: x\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /u);
  expect(answer).toContain('"code":"request_timeout"');
});

test('bytes that are no HTTP get a problem and a closed connection', async () => {
  const server = await startTestServer();
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write('\u0000\u0001 nonsense\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /u);
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
});

test('a server that stops answers every request under way', async () => {
  const server = await startTestServer('--preset', 'none', '--batch-ballots-max', '3', '--recorder-lanes', '1');
  const poll = await createPoll(server.url);
  let reachedCount = 0;
  server.running.app.server.on('request', () => (reachedCount += 1));
  let answeredCount = 0;
  const casts = Array.from({ length: 200 }, (_, user) =>
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: `u${user}` }).then((answer) => {
      answeredCount += 1;
      return answer;
    }),
  );
  await expect.poll(() => answeredCount, { interval: 1 }).toBeGreaterThan(10);
  expect(answeredCount).toBeLessThan(200);
  const stopped = server.running.stop();
  const answers = await Promise.allSettled(casts);
  await stopped;
  const counted = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 201).length;
  const rows = await server.query('select 1 from ballots');
  expect(rows).toHaveLength(counted);
  // A request whose connection the server had not taken yet finds nobody there; one that had reached it gets its answer.
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(reachedCount);
});

test('origins that are configured may call the API, others may not', async () => {
  const server = await startTestServer('--cors-origins', 'https://app.example.org');
  const allowed = await get(`${server.url}/api/v1/polls`, { origin: 'https://app.example.org' });
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
  expect(
    (await get(`${server.url}/api/v1/polls`, { origin: 'https://evil.example' })).headers.get(
      'access-control-allow-origin',
    ),
  ).toBeNull();
  expect(
    (await get(`${server.url}/health`, { origin: 'https://evil.example' })).headers.get('access-control-allow-origin'),
  ).toBe('*');
});
