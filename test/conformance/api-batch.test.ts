/** Batches at their limits: what a line may hold, how it fares among others, and clients that do not keep up. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPoll, get, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { ask } from '../support/wire.ts';

type Line = Partial<TestReceipt> & { line: number; outcome: string; code?: string; recorded?: string };

const ndjson = { 'content-type': 'application/x-ndjson' };

async function sendBatch(server: TestServer, poll: TestPoll, body: string | Buffer): Promise<Line[]> {
  const response = await fetch(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, {
    method: 'POST',
    headers: ndjson,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  return toLines(await response.text());
}

function toLines(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

const toText = (ballots: readonly object[]): string => ballots.map((ballot) => `${JSON.stringify(ballot)}\n`).join('');
const codes = (lines: readonly Line[]): string[] => lines.map(({ outcome, code }) => code ?? outcome);

test('the bytes of a line that are not UTF-8 spoil that line alone, and make no voter', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const outcomes = await sendBatch(
    server,
    poll,
    Buffer.from(
      '{"selections":["1"],"userId":"a"}\n{"selections":["1"],"userId":"\xff"}\n\xc3\x28\n{"selections":["1"],"userId":"b"}',
      'latin1',
    ),
  );
  expect(codes(outcomes)).toEqual(['counted', 'request_malformed', 'request_malformed', 'counted']);
  expect(await server.query('select 1 from ballots')).toHaveLength(2);
});

test('a character that is cut in two by the network is one character', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const ballots = ['first', '🗳️'].map((userId) => ({ selections: ['1'], userId }));
  const bytes = Buffer.from(toText(ballots));
  const cut = bytes.indexOf(0xf0) + 2;
  const batch = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, { method: 'POST', headers: ndjson });
  const answered = once(batch, 'response') as Promise<[IncomingMessage]>;
  batch.write(bytes.subarray(0, cut));
  await expect.poll(() => server.query('select 1 from ballots')).toHaveLength(1);
  batch.end(bytes.subarray(cut));
  const [response] = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(codes(toLines(text))).toEqual(['counted', 'counted']);
  const again = await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: '🗳️' });
  expect(again.status).toBe(409);
});

test('the answer begins when the whole batch has come, because a proxy would throw away the rest', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const [first = '', second = ''] = ['a', 'b'].map((userId) => toText([{ selections: ['1'], userId }]));
  const batch = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, { method: 'POST', headers: ndjson });
  const began: string[] = [];
  const answered = once(batch, 'response') as Promise<[IncomingMessage]>;
  void answered.then(() => began.push('answer'));
  batch.write(first);
  await expect.poll(() => server.query('select 1 from ballots')).toHaveLength(1);
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  began.push('rest');
  batch.end(second);
  const [response] = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect([began, codes(toLines(text))]).toEqual([
    ['rest', 'answer'],
    ['counted', 'counted'],
  ]);
});

test('of a batch that is far too long the answer arrives, too', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const lines = toText(Array.from({ length: 100_000 }, (_, user) => ({ selections: ['1'], userId: `u${user}` })));
  const outcomes = codes(await sendBatch(server, poll, lines));
  expect([outcomes.length, outcomes[9_999], outcomes[10_000]]).toEqual([10_001, 'counted', 'batch_too_large']);
});

test('lines may end as on Windows, blank ones are passed over, and a batch of none answers none', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const outcomes = await sendBatch(
    server,
    poll,
    '\r\n{"selections":["1"],"userId":"a"}\r\n\r\n \n{"selections":["2"],"userId":"b"}\r\n',
  );
  expect(outcomes.map(({ line, outcome }) => [line, outcome])).toEqual([
    [1, 'counted'],
    [2, 'counted'],
  ]);
  for (const body of ['', '\n', '\r\n\r\n']) expect(await sendBatch(server, poll, body)).toEqual([]);
});

test('a batch without the right media type is refused as a whole', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `/api/v1/polls/${poll.id}/ballots:batch`;
  for (const [headers, body] of [
    [{ 'content-type': 'application/json' }, '[{"selections":["1"],"userId":"a"}]'],
    [{ 'content-type': 'application/json' }, '{"selections":["1"],"userId":"a"}'],
    [{ 'content-type': 'text/plain' }, '{"selections":["1"],"userId":"a"}'],
    [{ 'content-length': '0' }, ''],
    [{}, undefined],
  ] as const) {
    const answer = await ask(server.url, { method: 'POST', path, headers, ...(body === undefined ? {} : { body }) });
    expect([headers, answer.status, answer.body]).toEqual([
      headers,
      415,
      expect.stringContaining('media_type_unsupported'),
    ]);
  }
  expect(await server.query('select 1 from ballots')).toEqual([]);
});

test('a batch to nowhere, to a closed poll or of wrong users is refused by its name', async () => {
  const server = await startTestServer('--preset', 'none');
  const nowhere = await post(`${server.url}/api/v1/polls/nowhere/ballots:batch`, '{}', ndjson);
  expect(nowhere.json).toMatchObject({ status: 404, code: 'poll_not_found' });
  const poll = await createPoll(server.url);
  await post(`${server.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  const closed = await sendBatch(server, poll, toText([{ selections: ['1'], userId: 'a' }]));
  expect(closed).toMatchObject([{ code: 'poll_closed', recorded: 'no' }]);
  const open = await createPoll(server.url);
  const users = ['', 'x'.repeat(256), 7, null, '\ud800', '\u0000'];
  const outcomes = await sendBatch(server, open, toText(users.map((userId) => ({ selections: ['1'], userId }))));
  expect(codes(outcomes)).toEqual(users.map(() => 'request_malformed'));
  for (const { recorded } of outcomes) expect(recorded).toBe('no');
});

test('a key stands for one ballot, in one batch, in the next and in a single request', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const electorate of ['open', 'declared']) {
    const poll = await createPoll(server.url, { electorate });
    const voter = electorate === 'open' ? {} : { userId: 'a' };
    const ballot = { selections: ['1'], ...voter, idempotencyKey: 'k' };
    const other = { ...ballot, selections: ['2'] };
    const [first, ...rest] = await sendBatch(server, poll, toText([ballot, ballot, other]));
    const receipt = { ...first, line: 0 };
    expect(rest.map((line) => line.code ?? { ...line, line: 0 })).toEqual([receipt, 'idempotency_key_reused']);
    const [next] = await sendBatch(server, poll, toText([ballot]));
    expect({ ...next, line: 0 }).toEqual(receipt);
    const single = await post(
      `${server.url}/api/v1/polls/${poll.id}/ballots`,
      { selections: ['1'], ...voter },
      { 'idempotency-key': '"k"' },
    );
    expect({ ...(single.json as object), line: 0, outcome: 'counted' }).toEqual(receipt);
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 1, version: 1 });
  }
});

test('of one voter who changes often within a batch the last line counts', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { revote: 'replace' });
  const changes = Array.from({ length: 101 }, (_, index) => ({ selections: [String(1 + (index % 2))], userId: 'a' }));
  const outcomes = await sendBatch(server, poll, toText([...changes, { selections: ['2'], userId: 'b' }]));
  expect(new Set(codes(outcomes))).toEqual(new Set(['counted']));
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({
    total: 2,
    lastTenMinutes: 2,
    counts: [{ votes: 1 }, { votes: 1 }],
  });
  const statuses = await Promise.all(
    outcomes.map(
      async ({ ballotId }) =>
        ((await get(`${server.url}/api/v1/ballots/${ballotId}`)).json as { status: string }).status,
    ),
  );
  expect(statuses.filter((status) => status === 'counted')).toHaveLength(2);
  expect([statuses[100], statuses[101]]).toEqual(['counted', 'counted']);
});

test('lines beyond what may wait are refused by name, and the others count', async () => {
  const server = await startTestServer('--preset', 'none', '--ballots-waiting-max', '10', '--batch-ballots-max', '1');
  const poll = await createPoll(server.url);
  const ballots = Array.from({ length: 500 }, (_, user) => ({ selections: ['1'], userId: `u${user}` }));
  const outcomes = await sendBatch(server, poll, toText(ballots));
  expect(outcomes.map(({ line }) => line)).toEqual(ballots.map((_, index) => index + 1));
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused');
  for (const { code, recorded } of refused) expect([code, recorded]).toEqual(['ingest_log_full', 'no']);
  expect(await server.query('select 1 from ballots')).toHaveLength(500 - refused.length);
  expect(refused.length).toBeLessThan(500);
});

test('a client that does not read holds up nobody, and finds every line in order when it does', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const ballots = Array.from({ length: 10_000 }, (_, user) => ({
    selections: ['1'],
    userId: `u${user}`.padEnd(100, '.'),
  }));
  const batch = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, { method: 'POST', headers: ndjson });
  const answered = once(batch, 'response') as Promise<[IncomingMessage]>;
  batch.end(toText(ballots));
  const [response] = await answered;
  // Nothing is read meanwhile: the answer fills the buffers on the way, and others are served.
  for (let round = 0; round < 20; round += 1) {
    expect(
      (await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['2'], userId: `other ${round}` }))
        .status,
    ).toBe(201);
    await sleep(10);
  }
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(toLines(text).map(({ line, outcome }) => `${line} ${outcome}`)).toEqual(
    ballots.map((_, index) => `${index + 1} counted`),
  );
  expect(await server.query('select 1 from ballots')).toHaveLength(10_020);
});

test('clients that go away while they do not read leave a server that goes on', async () => {
  // Room for all of them: what they have left behind still waits to be recorded when the last ballot comes.
  const server = await startTestServer('--preset', 'none', '--ballots-waiting-max', '100000');
  const poll = await createPoll(server.url);
  const body = toText(Array.from({ length: 10_000 }, (_, user) => ({ selections: ['1'], userId: `u${user}` })));
  for (let round = 0; round < 5; round += 1) {
    const batch = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, { method: 'POST', headers: ndjson });
    batch.on('error', () => undefined);
    batch.end(body);
    await once(batch, 'response');
    batch.destroy();
  }
  const [outcome] = await sendBatch(server, poll, toText([{ selections: ['1'], userId: 'last' }]));
  expect(outcome?.outcome).toBe('counted');
  const tally = async () =>
    ((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json as { total: number }).total;
  await expect.poll(async () => (await tally()) === (await server.query('select 1 from ballots')).length).toBe(true);
});
