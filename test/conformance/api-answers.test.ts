/** What a real server answers is what the description of the API says: its statuses, headers, media types and members. */
import { expect, test } from 'vitest';
import { createAsking, type Asking } from '../support/api-description.ts';
import { createPoll, post, send, type TestPoll, type TestReceipt } from '../support/http.ts';
import { candidateIds, startElection, tokenOf } from '../support/election.ts';
import { startDuel } from '../support/duel.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const future = '2090-03-30T00:00:00.000Z';
const longKey = { 'idempotency-key': 'k'.repeat(256) };
const tooLong = JSON.stringify({ text: 'x'.repeat(5_000_000) });
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const browser = { accept: 'text/html' };

/** What only a broken or busy server answers, or one with a broker; other tests provoke it. */
const rare = /(?:get|post|put|patch|delete) \S+ (?:202|408|429|5\d\d)$/u;

/** Every answer was as described, and every described status was met, but for those that only a server in trouble gives. */
function expectDescribed(asking: Asking, operations: readonly string[], exceptions: readonly string[] = []): void {
  expect(asking.differences).toEqual([]);
  expect(asking.unseen(operations).filter((answer) => !rare.test(answer))).toEqual(exceptions);
}

/** What somebody does to the poll that the preset made. */
async function changeSample({ url, running }: TestServer, change: 'pause' | 'hide'): Promise<void> {
  const poll = `${url}/api/v1/polls/${running.sample?.slug}`;
  const key = { 'manage-key': running.sample?.manageKey ?? '' };
  const answer =
    change === 'pause'
      ? await post(`${poll}/pause`, {}, key)
      : await send('PATCH', poll, { visibility: 'manager' }, key);
  expect(answer.status).toBe(200);
}

/** From now on the ledger of this server cannot be reached. */
function cutLedgerOff(server: TestServer): void {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  server.running.ledger.pool.query = () => Promise.reject(away) as never; // Only what it answers is looked at.
}

test('the contract features answers as it is described', async () => {
  const server = await startTestServer();
  const asking = await createAsking(server.url);
  const vote = (body: unknown, headers = {}) => asking.ask({ operation: 'post /vote', body, headers });
  await asking.ask({ operation: 'get /result' });
  for (const id of [1, '2']) expect((await vote({ feature_id: id })).status).toBe(200);
  await vote({ feature_id: 3 }, { 'idempotency-key': 'k' });
  for (const body of [{}, { feature_id: 99 }, '{']) expect((await vote(body)).status).toBe(400);
  expect((await vote({ feature_id: 1 }, { 'idempotency-key': 'k' })).status).toBe(422);
  expect((await vote({ feature_id: 1 }, longKey)).status).toBe(400);
  expect((await vote(tooLong)).status).toBe(413);
  await changeSample(server, 'pause');
  expect((await vote({ feature_id: 1 })).status).toBe(409);
  await changeSample(server, 'hide');
  expect((await asking.ask({ operation: 'get /result' })).status).toBe(403);
  expectDescribed(asking, ['post /vote', 'get /result'], ['post /vote 401']);
});

type PartyPoll = {
  readonly id: string;
  readonly options: readonly { readonly option_id: string }[];
  readonly manage_token: string;
};

test('the polls of the contract party are answered as they are described', async () => {
  const server = await startTestServer('--preset', 'none');
  const asking = await createAsking(server.url);
  const create = (body: unknown) => asking.ask({ operation: 'post /polls', body });
  await asking.ask({ operation: 'get /polls' });
  const created = await create({ question: 'Which?', options: ['a', 'b'], expired_at: future });
  expect(created.status).toBe(201);
  await create({ question: 'Another?', options: ['a', 'b'], expired_at: future });
  for (const body of [{}, { question: ' ', options: ['a', 'b'], expired_at: future }, '{']) {
    expect((await create(body)).status).toBe(400);
  }
  expect((await create(tooLong)).status).toBe(413);
  const { id } = created.json as PartyPoll;
  const show = (name: string) => asking.ask({ operation: 'get /polls/{id}', path: `/polls/${name}` });
  const hidden = await createPoll(server.url, { visibility: 'manager' });
  for (const name of [id, hidden.id]) expect((await show(name)).status).toBe(200);
  expect((await show('nonsense')).status).toBe(404);
  for (const [query, status] of [
    ['limit=1', 200],
    ['limit=0', 400],
    ['before=nonsense', 404],
  ] as const) {
    expect((await asking.ask({ operation: 'get /polls', path: `/polls?${query}` })).status).toBe(status);
  }
  for (const [query, status] of [
    ['', 200],
    ['?limit=0', 400],
  ] as const) {
    expect((await asking.ask({ operation: 'get /leaderboard', path: `/leaderboard${query}` })).status).toBe(status);
  }
  await asking.ask({ operation: 'get /leaderboard', headers: browser });
  await asking.ask({ operation: 'get /health' });
  cutLedgerOff(server);
  expect((await asking.ask({ operation: 'get /polls' })).status).toBe(503);
  expectDescribed(asking, ['post /polls', 'get /polls', 'get /polls/{id}', 'get /leaderboard', 'get /health']);
});

test('the votes of the contract party are answered as they are described', async () => {
  const server = await startTestServer('--preset', 'none');
  const asking = await createAsking(server.url);
  const made = await post(`${server.url}/polls`, { question: 'Which?', options: ['a', 'b'], expired_at: future });
  const poll = made.json as PartyPoll;
  const option = poll.options[0]?.option_id;
  const vote = (body: unknown, headers = {}, id = poll.id) =>
    asking.ask({ operation: 'post /polls/{id}/vote', path: `/polls/${id}/vote`, body, headers });
  for (const [user, status] of [
    ['u', 200],
    [7, 200],
    ['u', 409],
  ] as const) {
    expect((await vote({ user_id: user, option_id: option })).status).toBe(status);
  }
  for (const body of [{}, { user_id: 'v', option_id: 'nonsense' }, '{']) expect((await vote(body)).status).toBe(400);
  expect((await vote({ user_id: 'v', option_id: option }, longKey)).status).toBe(400);
  expect((await vote(tooLong)).status).toBe(413);
  expect((await vote({ user_id: 'v', option_id: option }, {}, 'nonsense')).status).toBe(404);
  const cookies = await createPoll(server.url, { electorate: 'cookie' });
  expect((await vote({ user_id: 'v', option_id: '1' }, {}, cookies.id)).status).toBe(403);
  const closed = await post(`${server.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manage_token });
  expect(closed.status).toBe(200);
  expect((await vote({ user_id: 'v', option_id: option })).status).toBe(410);
  expectDescribed(asking, ['post /polls/{id}/vote']);
});

test('the contract election answers as it is described', async () => {
  const server = await startElection();
  const asking = await createAsking(server.url);
  const [candidate] = candidateIds;
  const vote = (body: unknown, headers = {}) => asking.ask({ operation: 'post /api/v1/vote', body, headers });
  const cast = await vote({ candidate_id: candidate, user_token: tokenOf('a') });
  expect(cast.status).toBe(202);
  expect((await vote({ candidate_id: candidate }, { authorization: `Bearer ${tokenOf('b')}` })).status).toBe(202);
  for (const [body, status] of [
    [{ candidate_id: candidate }, 401],
    [{ candidate_id: candidate, user_token: 'nonsense' }, 401],
    [{ candidate_id: 'c0000000-0000-4000-8000-0000000000ff', user_token: tokenOf('c') }, 404],
    [{ user_token: tokenOf('d') }, 422],
    ['{', 422],
    [tooLong, 413],
  ] as const) {
    expect((await vote(body)).status).toBe(status);
  }
  expect((await vote({ candidate_id: candidate, user_token: tokenOf('e') }, longKey)).status).toBe(400);
  const { vote_id: id } = cast.json as { vote_id: string };
  for (const [name, status] of [
    [id, 200],
    ['nonsense', 404],
  ] as const) {
    const path = `/api/v1/votes/${name}`;
    expect((await asking.ask({ operation: 'get /api/v1/votes/{voteId}', path })).status).toBe(status);
  }
  for (const [query, status] of [
    ['', 200],
    ['?page=0', 400],
    ['?candidate_id=nonsense', 422],
  ] as const) {
    const path = `/api/v1/results${query}`;
    expect((await asking.ask({ operation: 'get /api/v1/results', path })).status).toBe(status);
  }
  await changeSample(server, 'pause');
  expect((await vote({ candidate_id: candidate, user_token: tokenOf('f') })).status).toBe(409);
  await changeSample(server, 'hide');
  expect((await asking.ask({ operation: 'get /api/v1/results' })).status).toBe(403);
  expectDescribed(
    asking,
    ['post /api/v1/vote', 'get /api/v1/votes/{voteId}', 'get /api/v1/results'],
    ['get /api/v1/results 404'],
  );
});

test('the contract live answers as it is described', async () => {
  const server = await startTestServer('--preset', 'none', '--live-options-max', '2');
  const asking = await createAsking(server.url);
  const made = await createPoll(server.url, { electorate: 'open', visibility: 'manager' });
  const vote = (name: string, body: unknown, headers = {}) =>
    asking.ask({ operation: 'post /api/v1/vote/{poll_id}', path: `/api/v1/vote/${name}`, body, headers });
  const show = (name: string) =>
    asking.ask({ operation: 'get /api/v1/results/{poll_id}', path: `/api/v1/results/${name}` });
  expect((await vote('final', { option_id: 'A' }, { 'idempotency-key': 'k' })).status).toBe(200);
  expect((await vote('final', { option_id: 'B' }, { 'idempotency-key': 'k' })).status).toBe(409);
  for (const [body, status] of [
    ['{', 422],
    [{}, 422],
    [{ option_id: 'C' }, 429],
    [tooLong, 413],
  ] as const) {
    expect((await vote('final', body)).status).toBe(status);
  }
  expect((await vote('final', { option_id: 'A' }, longKey)).status).toBe(400);
  expect((await vote(made.id, { option_id: '9' })).status).toBe(404);
  const named = await createPoll(server.url);
  expect((await vote(named.id, { option_id: '1' })).status).toBe(403);
  for (const [name, status] of [
    ['final', 200],
    ['x'.repeat(129), 422],
    [made.id, 403],
  ] as const) {
    expect((await show(name)).status).toBe(status);
  }
  expectDescribed(asking, ['post /api/v1/vote/{poll_id}', 'get /api/v1/results/{poll_id}']);
});

test('the front page, its form and the probes answer as they are described', async () => {
  const server = await startTestServer('--preset', 'none');
  const asking = await createAsking(server.url);
  const submit = (body: string, headers = {}) =>
    asking.ask({ operation: 'post /', body, headers: { ...form, ...headers } });
  for (const headers of [{}, browser]) expect((await asking.ask({ operation: 'get /', headers })).status).toBe(200);
  for (const headers of [{}, browser]) {
    expect((await submit('question=&option=Tea', headers)).status).toBe(422);
    expect((await submit('question=Tea?', { ...headers, origin: 'https://evil.example' })).status).toBe(403);
    expect((await submit(tooLong, headers)).status).toBe(413);
    expect((await asking.ask({ operation: 'post /', body: '{}', headers })).status).toBe(415);
  }
  for (const operation of ['get /healthz', 'get /readyz']) expect((await asking.ask({ operation })).status).toBe(200);
  cutLedgerOff(server);
  expect((await asking.ask({ operation: 'get /readyz' })).status).toBe(503);
  expectDescribed(asking, ['get /', 'get /healthz', 'get /readyz']);
});

test('the form of a server with a create key is refused as it is described', async () => {
  const server = await startTestServer('--preset', 'none', '--create-key', 'a-key-of-some-length');
  const asking = await createAsking(server.url);
  expect((await asking.ask({ operation: 'post /', body: 'question=Tea?', headers: form })).status).toBe(401);
  const create = (headers = {}) =>
    asking.ask({ operation: 'post /api/v1/polls', body: { question: 'Tea?', options: ['Tea', 'Coffee'] }, headers });
  for (const [headers, status] of [
    [{}, 401],
    [{ 'create-key': 'another' }, 403],
    [{ 'create-key': 'a-key-of-some-length' }, 201],
  ] as const) {
    expect((await create(headers)).status).toBe(status);
  }
  expect(asking.differences).toEqual([]);
});

test('the page of a duel answers as it is described', async () => {
  const server = await startDuel();
  const asking = await createAsking(server.url);
  const submit = (body: string, headers = {}) =>
    asking.ask({ operation: 'post /', body, headers: { ...form, ...headers } });
  expect((await asking.ask({ operation: 'get /' })).status).toBe(200);
  expect((await submit('vote=a')).status).toBe(200);
  expect((await submit('vote=c')).status).toBe(400);
  expect((await submit('vote=a', { origin: 'https://evil.example' })).status).toBe(403);
  expect((await submit(`vote=${'a'.repeat(5_000)}`)).status).toBe(413);
  await changeSample(server, 'pause');
  expect((await submit('vote=a')).status).toBe(409);
  expectDescribed(asking, ['get /', 'post /'], ['get / 404', 'post / 404']);
});

const onPoll = '/api/v1/polls/{poll}';

test('what a manager does to a poll is answered as it is described', async () => {
  const server = await startTestServer('--preset', 'none');
  const asking = await createAsking(server.url);
  const poll = await createPoll(server.url, { draft: true });
  const key = { 'manage-key': poll.manageKey };
  const ask = askPoll(asking, poll);
  for (const [operation, body, status] of [
    [`patch ${onPoll}`, { question: 'Coffee or tea?' }, 200],
    [`patch ${onPoll}`, {}, 400],
    [`patch ${onPoll}`, { selections: { min: 2, max: 1 } }, 422],
    [`post ${onPoll}/pause`, undefined, 409],
    [`post ${onPoll}/open`, undefined, 200],
    [`post ${onPoll}/extend`, { minutes: 5 }, 200],
    [`post ${onPoll}/extend`, { closesAt: future }, 200],
    [`post ${onPoll}/pause`, undefined, 200],
    [`post ${onPoll}/close`, undefined, 200],
    [`post ${onPoll}/reopen`, undefined, 200],
    [`get ${onPoll}/log`, undefined, 200],
    [`get ${onPoll}/health`, undefined, 200],
    [`get ${onPoll}/export`, undefined, 200],
    [`post ${onPoll}/manage-session`, { manageKey: poll.manageKey }, 204],
    [`delete ${onPoll}/manage-session`, undefined, 204],
    [`delete ${onPoll}/logo`, undefined, 200],
    [`put ${onPoll}/logo`, 'no picture', 415],
  ] as const) {
    expect([operation, (await ask(operation, body, key)).status]).toEqual([operation, status]);
  }
  for (const operation of [
    `get ${onPoll}/log`,
    `get ${onPoll}/health`,
    `get ${onPoll}/export`,
    `post ${onPoll}/open`,
  ]) {
    expect((await ask(operation)).status).toBe(401);
    expect((await ask(operation, undefined, { 'manage-key': 'wrong' })).status).toBe(403);
    const path = operation.replace(`${onPoll}`, '/api/v1/polls/none').split(' ')[1] ?? '';
    expect((await asking.ask({ operation, path, headers: key })).status).toBe(404);
  }
  for (const format of ['json', 'ballots', 'nonsense']) {
    const path = `/api/v1/polls/${poll.id}/export?format=${format}`;
    await asking.ask({ operation: `get ${onPoll}/export`, path, headers: key });
  }
  expect((await ask(`delete ${onPoll}`, { question: 'Another?' }, key)).status).toBe(422);
  expect((await ask(`delete ${onPoll}`, { question: 'Coffee or tea?' }, key)).status).toBe(204);
  expect(asking.differences).toEqual([]);
  expect(asking.unseen([`get ${onPoll}/log`, `get ${onPoll}/health`]).filter((answer) => !rare.test(answer))).toEqual([
    `get ${onPoll}/log 400`,
    `get ${onPoll}/health 400`,
  ]);
});

function askPoll(asking: Asking, { id }: Pick<TestPoll, 'id'>) {
  return (operation: string, body?: unknown, headers: Record<string, string> = {}) => {
    const path = (operation.split(' ')[1] ?? '').replace('{poll}', id);
    return asking.ask({ operation, path, headers, ...(body === undefined ? {} : { body }) });
  };
}

test('ballots, tallies and lists are answered as they are described', async () => {
  const server = await startTestServer('--preset', 'none');
  const asking = await createAsking(server.url);
  const poll = await createPoll(server.url);
  const ask = askPoll(asking, poll);
  const ballots = `post ${onPoll}/ballots`;
  const cast = await ask(ballots, { selections: ['1'], userId: 'alice' });
  for (const [body, status] of [
    [{ selections: ['2'], userId: 'alice' }, 409],
    [{ selections: ['9'], userId: 'bob' }, 422],
    [{ selections: ['1'] }, 401],
    [{ selections: 'nonsense' }, 400],
    [tooLong, 413],
  ] as const) {
    expect((await ask(ballots, body)).status).toBe(status);
  }
  expect((await ask(ballots, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  const lines = '{"selections":["1"],"userId":"carol"}\n{"selections":["9"],"userId":"dave"}\n';
  expect((await ask(`${ballots}:batch`, lines, { 'content-type': 'application/x-ndjson' })).status).toBe(200);
  const { ballotId } = cast.json as TestReceipt;
  for (const [name, status] of [
    [ballotId, 200],
    ['none', 404],
  ] as const) {
    const path = `/api/v1/ballots/${name}`;
    expect((await asking.ask({ operation: 'get /api/v1/ballots/{ballotId}', path })).status).toBe(status);
  }
  const tally = await ask(`get ${onPoll}/tally`);
  const known = { 'if-none-match': tally.headers.get('etag') ?? '' };
  expect((await ask(`get ${onPoll}/tally`, undefined, known)).status).toBe(304);
  for (const operation of [`get ${onPoll}`, `get ${onPoll}/series`, 'get /api/v1/polls', 'get /api/v1/leaderboard']) {
    expect((await ask(operation)).status).toBe(200);
  }
  const hidden = askPoll(asking, await createPoll(server.url, { visibility: 'manager' }));
  for (const view of ['tally', 'series']) expect((await hidden(`get ${onPoll}/${view}`)).status).toBe(403);
  for (const path of ['/api/v1/polls', '/api/v1/leaderboard']) {
    expect((await asking.ask({ operation: `get ${path}`, path: `${path}?limit=0` })).status).toBe(400);
  }
  const slug = { question: 'Tea?', options: ['Tea', 'Coffee'], slug: 'tea' };
  for (const status of [201, 409]) {
    expect((await asking.ask({ operation: 'post /api/v1/polls', body: slug })).status).toBe(status);
  }
  expect(asking.differences).toEqual([]);
});
