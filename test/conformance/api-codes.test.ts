/** Every refusal that a client can meet over HTTP: its status, its body, its page in docs/errors.md. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { errors, type ErrorCode } from '../../server/errors.ts';
import { createPoll, get, post, send, type Answer, type TestPoll } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { exchange, type WireAnswer } from '../support/wire.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
/** Nothing over HTTP leads to these yet, or nothing should: a bug of ours, an end that comes after the last connection. */
const unseen: readonly ErrorCode[] = ['voter_not_eligible', 'rate_limited', 'shutting_down', 'internal'];

type Problem = { code: ErrorCode; status: number; title: string; type: string; instance: string; recorded: string };

function expectProblem(code: ErrorCode, status: number, header: (name: string) => string | null, body: unknown): void {
  const row = errors[code];
  const problem = body as Problem;
  expect([code, problem.code, status, problem.status]).toEqual([code, code, row.status, row.status]);
  expect(problem).toMatchObject({
    title: row.title,
    type: `/problems/${code}`,
    instance: expect.stringMatching(/^urn:request:./u),
  });
  expect(['no', 'unknown']).toContain(problem.recorded);
  expect([code, header('content-type')]).toEqual([code, 'application/problem+json; charset=utf-8']);
  expect([code, header('request-id')]).toEqual([code, problem.instance.replace('urn:request:', '')]);
  expect([code, header('retry-after')]).toEqual([
    code,
    row.retryAfterSeconds === undefined ? null : String(row.retryAfterSeconds),
  ]);
  expect(page).toContain(`\n## ${code}\n`);
}

function expectAnswer(code: ErrorCode, { status, headers, json }: Answer): void {
  expectProblem(code, status, (name) => headers.get(name), json);
}

function expectWireAnswer(code: ErrorCode, { status, header, body }: WireAnswer): void {
  expectProblem(code, status, header, JSON.parse(body));
}

/** What a client does wrong, by the code that tells it. */
async function refusalsOf(server: TestServer): Promise<Partial<Record<ErrorCode, Answer>>> {
  const api = `${server.url}/api/v1/polls`;
  const create = { 'create-key': 'the-create-key' };
  const make = (fields: object) => makePoll(server, fields);
  const poll = await make({});
  const draft = await make({ draft: true });
  const closed = await make({});
  const hidden = await make({ visibility: 'after_close' });
  const key = { 'manage-key': poll.manageKey };
  const ballot = { selections: ['1'], userId: 'a' };
  await post(`${api}/${closed.id}/close`, '', { 'manage-key': closed.manageKey });
  await post(`${api}/${poll.id}/ballots`, ballot, { 'idempotency-key': 'k' });
  return {
    request_malformed: await post(api, '{', create),
    body_too_large: await post(`${api}/${poll.id}/ballots`, 'x'.repeat(100_000)),
    media_type_unsupported: await post(api, 'a=b', { 'content-type': 'text/plain' }),
    credential_missing: await post(`${api}/${poll.id}/close`, ''),
    manage_key_wrong: await post(`${api}/${poll.id}/close`, '', { 'manage-key': draft.manageKey }),
    create_key_wrong: await post(api, { question: 'q', options: ['a', 'b'] }, { 'create-key': 'wrong' }),
    results_hidden: await get(`${api}/${hidden.id}/tally`),
    poll_not_found: await get(`${api}/nowhere`),
    ballot_not_found: await get(`${server.url}/api/v1/ballots/${poll.id}`),
    route_not_found: await get(`${server.url}/nowhere`),
    method_not_allowed: await send('DELETE', api),
    poll_not_open: await post(`${api}/${draft.id}/ballots`, ballot),
    poll_closed: await post(`${api}/${closed.id}/ballots`, ballot),
    poll_state_conflict: await post(`${api}/${poll.id}/open`, '', key),
    options_frozen: await send('PATCH', `${api}/${poll.id}`, { options: ['x', 'y'] }, key),
    slug_taken: await post(api, { question: 'q', options: ['a', 'b'], slug: poll.slug }, create),
    ballot_already_cast: await post(`${api}/${poll.id}/ballots`, ballot),
    poll_invalid: await post(api, { question: ' ', options: ['a', 'b'] }, create),
    ballot_invalid: await post(`${api}/${poll.id}/ballots`, { ...ballot, selections: ['9'] }),
    idempotency_key_reused: await post(
      `${api}/${poll.id}/ballots`,
      { ...ballot, selections: ['2'] },
      { 'idempotency-key': 'k' },
    ),
  };
}

async function makePoll(server: TestServer, fields: object): Promise<TestPoll> {
  const body = { question: 'q', options: ['a', 'b'], electorate: 'declared', ...fields };
  return (await post(`${server.url}/api/v1/polls`, body, { 'create-key': 'the-create-key' })).json as TestPoll;
}

test('each code has its status, its body, its headers and its page', async () => {
  const server = await startTestServer('--create-key', 'the-create-key');
  const hasty = await startTestServer('--headers-timeout-ms', '500', '--request-timeout-ms', '500');
  const refusals = await refusalsOf(server);
  for (const [code, answer] of Object.entries(refusals)) expectAnswer(code as ErrorCode, answer);
  expectWireAnswer('request_timeout', await exchange(hasty.url, 'POST /vote HTTP/1.1\r\nHost: a\r\n'));
  expectWireAnswer('request_malformed', await exchange(server.url, 'nonsense\r\n\r\n'));
  expectWireAnswer(
    'request_malformed',
    await exchange(server.url, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
  );
  expectAnswer('request_malformed', await get(`${server.url}/api/v1/polls/%ZZ`));
  const elsewhere: ErrorCode[] = [
    'request_timeout',
    'batch_too_large',
    'ingest_log_full',
    'ledger_unavailable',
    'too_many_connections',
    'origin_forbidden',
    'images_busy',
    // Seen where there are tokens (api-tokens.test.ts), and where there is a broker (test/brokers).
    'credential_invalid',
    'tokens_unverifiable',
    'ingest_log_unavailable',
  ];
  expect([...Object.keys(refusals), ...elsewhere, ...unseen].sort()).toEqual(Object.keys(errors).sort());
});

test('at the limit the answer is 503 with Retry-After', async () => {
  const server = await startTestServer(
    '--ballots-waiting-max',
    '1',
    '--batch-ballots-max',
    '1',
    '--recorder-lanes',
    '1',
  );
  const path = `${server.url}/api/v1/polls/features/ballots`;
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(path, { selections: ['1'] })));
  const refused = answers.filter(({ status }) => status !== 201);
  for (const answer of refused) expectAnswer('ingest_log_full', answer);
  expect(refused.length).toBeGreaterThan(0);
});

test('while the ledger is away every route that needs it says so, and all goes on when it is back', async () => {
  const server = await startTestServer();
  const poll = await createPoll(server.url);
  const ledger = await takeAway(server);
  const api = `${server.url}/api/v1/polls`;
  const key = { 'manage-key': poll.manageKey };
  const party = { question: 'q', options: ['a', 'b'], expired_at: '2090-03-30T00:00:00.000Z' };
  for (const answer of [
    await get(api),
    await get(`${api}/nowhere`),
    await get(`${server.url}/api/v1/ballots/${poll.id}`),
    await get(`${server.url}/polls`),
    await get(`${server.url}/polls/00000000-0000-4000-8000-000000000000`),
    await post(api, { question: 'q', options: ['a', 'b'] }),
    await post(`${server.url}/polls`, party),
    await send('PATCH', `${api}/${poll.id}`, { question: 'New?' }, key),
    await post(`${api}/${poll.id}/close`, '', key),
  ]) {
    expectAnswer('ledger_unavailable', answer);
  }
  const cast = (headers = {}) =>
    post(`${api}/features/ballots`, { selections: ['1'] }, { 'idempotency-key': 'kept', ...headers });
  expectAnswer('ledger_unavailable', await cast());
  expect((await get(`${server.url}/readyz`)).status).toBe(503);
  // What is at hand is still shown.
  expect((await get(`${api}/features/tally`)).json).toMatchObject({ total: 0 });
  expect((await get(`${server.url}/healthz`)).status).toBe(200);
  await ledger.giveBack();
  await expect.poll(async () => (await cast()).status, { timeout: 20_000 }).toBe(201);
  expect((await cast()).status).toBe(201);
  expect((await get(`${api}/features/tally`)).json).toMatchObject({ total: 1 });
  await expect.poll(async () => (await get(`${server.url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
  expect(await server.query('select 1 from ballots')).toHaveLength(1);
});

/** Ends the connections of the server and lets it have no others. */
async function takeAway(server: TestServer): Promise<{ giveBack(): Promise<void> }> {
  const database = new URL(server.databaseUrl).pathname.slice(1);
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const giveBack = async () => {
    await admin.query(`alter database ${database} allow_connections true`);
  };
  onTestFinished(() => giveBack().finally(() => admin.end()));
  await admin.query(`alter database ${database} allow_connections false`);
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'hustings'`,
    [database],
  );
  return { giveBack };
}
