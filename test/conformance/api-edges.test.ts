/** Whatever comes in at the edges of HTTP, on every route: no 5xx, no trace in the ledger, an answer that costs little. */
import { expect, test } from 'vitest';
import { createPoll, hostileBodies, send, type TestPoll } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { ask, exchange, toBytes, type WireAnswer, type WireRequest } from '../support/wire.ts';

const json = { 'content-type': 'application/json' };
/** Of this process, which is client and server. Other processes may make it wait as long as they like. */
const workMsMax = 1_000;

const brokenBodies: readonly (readonly [name: string, body: string | Buffer])[] = [
  ...hostileBodies,
  [
    'bytes that are not UTF-8',
    Buffer.from('{"question":"\xff","user_id":"\xff","userId":"\xff","feature_id":"\xff"}', 'latin1'),
  ],
  ['unknown fields alone', '{"colour":"red","votes":[1]}'],
  [
    'empty texts',
    '{"question":"","options":["",""],"feature_id":"","user_id":"","option_id":"","userId":"","selections":[""]}',
  ],
  [
    'wrong types',
    '{"question":[],"options":{},"feature_id":[],"user_id":[],"option_id":{},"userId":{},"selections":"1"}',
  ],
  ['lists ever deeper', `{"selections":${'['.repeat(8_000)}${']'.repeat(8_000)}}`],
  ['a list around what is right', '[{"feature_id":1,"selections":["1"],"userId":"u","user_id":"u","option_id":"1"}]'],
  ['two values', '{"feature_id":1}{"feature_id":1}'],
];

type Ledger = { polls: number; ballots: number; events: number; open: number };

async function readLedger(server: TestServer): Promise<Ledger | undefined> {
  const [row] = await server.query<Ledger>(`select
    (select count(*)::integer from polls) as polls,
    (select count(*)::integer from polls where closes_at is null) as open,
    (select count(*)::integer from ballots) as ballots,
    (select count(*)::integer from poll_events) as events`);
  return row;
}

/** Expects that the answer is little work, whatever was asked. */
async function askLightly(server: TestServer, request: WireRequest): Promise<WireAnswer> {
  const before = process.cpuUsage();
  const answer = await ask(server.url, request);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000, `${request.method} ${request.path}`).toBeLessThan(workMsMax);
  return answer;
}

function writingRoutes(poll: TestPoll): WireRequest[] {
  const manager = { ...json, 'manage-key': poll.manageKey };
  return [
    { method: 'POST', path: '/vote', headers: json },
    { method: 'POST', path: '/polls', headers: json },
    { method: 'POST', path: `/polls/${poll.id}/vote`, headers: json },
    { method: 'POST', path: '/api/v1/polls', headers: json },
    { method: 'PATCH', path: `/api/v1/polls/${poll.id}`, headers: manager },
    { method: 'POST', path: `/api/v1/polls/${poll.id}/ballots`, headers: json },
    { method: 'POST', path: '/api/v1/polls/features/ballots', headers: json },
    { method: 'POST', path: `/api/v1/polls/${poll.id}/extend`, headers: manager },
    { method: 'POST', path: `/api/v1/polls/${poll.id}/reopen`, headers: manager },
  ];
}

test('what breaks a rule is refused on every route, with little work and without a trace', async () => {
  const server = await startTestServer();
  const poll = await createPoll(server.url);
  const before = await readLedger(server);
  const batch = { method: 'POST', path: `/api/v1/polls/${poll.id}/ballots:batch` };
  // The first request to each route compiles its schema.
  for (const route of writingRoutes(poll)) await ask(server.url, { ...route, body: '{' });
  for (const [name, body] of brokenBodies) {
    for (const route of writingRoutes(poll)) {
      const { status, text } = await askLightly(server, { ...route, body });
      expect(status >= 400 && status < 500, `${name} to ${route.method} ${route.path}: ${text}`).toBe(true);
    }
    const { text } = await askLightly(server, { ...batch, headers: { 'content-type': 'application/x-ndjson' }, body });
    expect(text).toMatch(/^HTTP\/1\.1 200 /u);
    expect(text).not.toMatch(/"counted"|"internal"/u);
  }
  expect(await readLedger(server)).toEqual(before);
});

test('on every path each method that it does not take gets 405, and Allow names those that it takes', async () => {
  const server = await startTestServer();
  const poll = await createPoll(server.url);
  const { paths } = (await send('GET', `${server.url}/api/v1/openapi.json`)).json as { paths: Record<string, object> };
  expect(Object.keys(paths).length).toBeGreaterThan(15);
  for (const [pattern, operations] of Object.entries(paths)) {
    const taken = Object.keys(operations).map((method) => method.toUpperCase());
    if (taken.includes('GET')) taken.push('HEAD');
    const path = pattern.replaceAll(/\{\w+\}/gu, poll.id);
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
      if (taken.includes(method)) continue;
      const answer = await ask(server.url, { method, path, headers: json, body: '{}' });
      expect([method, path, answer.status]).toEqual([method, path, 405]);
      expect(answer.header('allow')?.split(', ').sort()).toEqual([...taken].sort());
    }
  }
});

test('an address that does not exist is 404 for every method', async () => {
  const server = await startTestServer();
  for (const path of [
    '/nowhere',
    '/vote/',
    '/result/',
    '/api/v1',
    '/api/v2/polls',
    '/vote%2F',
    '/%2e%2e/vote',
    '//vote',
  ]) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await ask(server.url, { method, path, headers: json, body: '{"feature_id":1}' });
      expect([method, path, answer.status, answer.body]).toEqual([
        method,
        path,
        404,
        expect.stringContaining('"route_not_found"'),
      ]);
    }
  }
  expect(await server.query('select 1 from ballots')).toEqual([]);
});

test('an id with a slash, without an end or of a megabyte is an unknown one, in the words of each contract', async () => {
  const server = await startTestServer();
  for (const id of [
    'a%2Fb',
    '%2e%2e%2Fpolls',
    'a'.repeat(300),
    'a'.repeat(8_000),
    '%00',
    '%F0%9F%97%B3',
    '1%3Bselect%201',
  ]) {
    const party = await askLightly(server, { method: 'GET', path: `/polls/${id}` });
    expect([id, party.status, party.body]).toEqual([id, 404, '{"error":"Not Found","message":"Poll does not exist"}']);
    for (const path of [`/api/v1/polls/${id}`, `/api/v1/polls/${id}/tally`]) {
      const answer = await askLightly(server, { method: 'GET', path });
      expect([path, answer.status, answer.body]).toEqual([path, 404, expect.stringContaining('"poll_not_found"')]);
    }
    const ballot = await askLightly(server, { method: 'GET', path: `/api/v1/ballots/${id}` });
    expect([id, ballot.status]).toEqual([id, 404]);
  }
  for (const path of [
    '/polls/%ZZ',
    '/polls/%',
    '/api/v1/polls/%C3%28',
    '/api/v1/polls?joinCode=%00',
    `/${'a'.repeat(100_000)}`,
  ]) {
    const { status } = await askLightly(server, { method: 'GET', path });
    expect([path.slice(0, 30), status >= 200 && status < 500]).toEqual([path.slice(0, 30), true]);
  }
});

test('the API reads JSON that is called so, the contracts whatever it is called', async () => {
  const server = await startTestServer();
  const cast = (path: string, type: string, body: string) =>
    ask(server.url, { method: 'POST', path, headers: { 'content-type': type }, body });
  for (const [type, ofContract, ofApi] of [
    ['application/json', 200, 201],
    ['application/json; charset=utf-8', 200, 201],
    ['APPLICATION/JSON', 200, 201],
    ['text/plain', 200, 415],
    ['application/x-www-form-urlencoded', 200, 415],
    ['multipart/form-data; boundary=x', 200, 415],
    ['nonsense', 415, 415],
  ] as const) {
    const vote = await cast('/vote', type, '{"feature_id":1}');
    const ballot = await cast('/api/v1/polls/features/ballots', type, '{"selections":["1"]}');
    expect([type, vote.status, ballot.status]).toEqual([type, ofContract, ofApi]);
  }
  expect(await server.query('select 1 from ballots')).toHaveLength(9);
});

test('HEAD answers as GET does, without the body', async () => {
  const server = await startTestServer();
  for (const path of [
    '/',
    '/result',
    '/polls',
    '/leaderboard',
    '/health',
    '/healthz',
    '/readyz',
    '/api/v1/polls',
    '/api/v1/polls/features',
    '/api/v1/polls/features/tally',
    '/docs/',
  ]) {
    const got = await ask(server.url, { method: 'GET', path });
    const head = await ask(server.url, { method: 'HEAD', path });
    expect([path, head.status, head.body]).toEqual([path, got.status, '']);
    expect(head.header('content-type')).toBe(got.header('content-type'));
  }
});

test('a client that expects 100-continue is told to go on, and counts once', async () => {
  const server = await startTestServer();
  const body = '{"feature_id":1}';
  const vote = await ask(server.url, {
    method: 'POST',
    path: '/vote',
    headers: { ...json, expect: '100-continue' },
    body,
  });
  expect(vote.text).toMatch(/^HTTP\/1\.1 100 /u);
  expect(vote.status).toBe(200);
  const other = await ask(server.url, {
    method: 'POST',
    path: '/vote',
    headers: { ...json, expect: 'a-miracle' },
    body,
  });
  expect(other.status).toBe(417);
  expect(await server.query('select 1 from ballots')).toHaveLength(1);
});

test('a body on a GET is ignored, whatever it is', async () => {
  const server = await startTestServer();
  const poll = await createPoll(server.url);
  for (const path of [
    '/result',
    '/polls',
    `/polls/${poll.id}`,
    '/leaderboard',
    '/health',
    `/api/v1/polls/${poll.id}`,
    `/api/v1/polls/${poll.id}/tally`,
  ]) {
    for (const body of ['{"question":"x"}', '{', '\u0000', 'x'.repeat(100_000)]) {
      const answer = await ask(server.url, { method: 'GET', path, headers: json, body });
      expect([path, answer.status]).toEqual([path, 200]);
    }
  }
});

test('a body in chunks counts once; one that is cut short, doubled or broken not at all', async () => {
  const server = await startTestServer();
  const vote = (headers: Record<string, string>, body: string) =>
    toBytes({ method: 'POST', path: '/vote', headers: { ...json, ...headers }, body });
  const chunked = { 'transfer-encoding': 'chunked' };
  const whole = await exchange(server.url, vote(chunked, '9\r\n{"feature\r\n7\r\n_id":1}\r\n0\r\n\r\n'));
  expect(whole.status).toBe(200);
  const broken: [name: string, bytes: Buffer][] = [
    ['a chunk whose length is no number', vote(chunked, '10\r\n{"feature_id":1}\r\nzz\r\n')],
    ['no last chunk', vote(chunked, '10\r\n{"feature_id":1}\r\n')],
    ['half a body', vote({ 'content-length': '17' }, '{"feature_id":1}')],
    ['two lengths', vote({ 'content-length': '16', 'Content-Length': '17' }, '{"feature_id":1} ')],
    [
      'a length and chunks',
      Buffer.from(
        `POST /vote HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"feature_id":1}\r\n0\r\n\r\n`,
      ),
    ],
    ['a length that is negative', vote({ 'content-length': '-1' }, '{"feature_id":1}')],
    ['a header without a name', Buffer.from('POST /vote HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n')],
    ['another version of HTTP', Buffer.from('POST /vote HTTP/9.9\r\nHost: a\r\n\r\n')],
  ];
  for (const [name, bytes] of broken) {
    const { status, text } = await exchange(server.url, bytes, true);
    expect([name, text === '' || (status >= 400 && status < 500)], text).toEqual([name, true]);
  }
  expect(await server.query('select 1 from ballots')).toHaveLength(1);
});
