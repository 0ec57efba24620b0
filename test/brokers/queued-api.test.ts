/** The API where a broker stands between accepting a ballot and counting it. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAsking } from '../support/api-description.ts';
import { createPoll, get, post, send, type Answer, type TestPoll } from '../support/http.ts';
import { closeSoon } from '../support/polls.ts';
import { makeQueueVariables } from '../support/queue.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';

const wait = { timeout: 30_000, interval: 20 };
const queues = ['redis', 'rabbitmq', 'kafka'] as const;

type Queue = (typeof queues)[number];
type Status = { readonly status: string; readonly processing: string; readonly reason?: string };

/** Servers on one database and one queue of their own: all accept, the last one also records unless `records` says otherwise. */
async function startServers(
  queue: Queue,
  { count = 2, records = true }: { count?: number; records?: boolean } = {},
): Promise<{ servers: TestServer[]; startAnother(recordsToo: boolean): Promise<TestServer> }> {
  const databaseUrl = await createDatabase();
  const env = makeQueueVariables();
  const startAnother = (recordsToo: boolean): Promise<TestServer> =>
    startOn(databaseUrl, ['--queue', queue, `--worker=${recordsToo}`, '--preset', 'none'], env);
  const servers: TestServer[] = [];
  for (let no = 1; no <= count; no += 1) servers.push(await startAnother(records && no === count));
  return { servers, startAnother };
}

function cast(
  { url }: TestServer,
  { id }: TestPoll,
  body: { selections?: string[]; userId?: string },
  headers: Record<string, string> = {},
): Promise<Answer> {
  return post(`${url}/api/v1/polls/${id}/ballots`, { selections: ['1'], userId: randomUUID(), ...body }, headers);
}

const idOf = ({ json }: Answer): string => (json as { ballotId: string }).ballotId;

async function readStatus({ url }: TestServer, ballotId: string): Promise<Status> {
  return (await get(`${url}/api/v1/ballots/${ballotId}`)).json as Status;
}

async function untilEnded(server: TestServer, ballotId: string): Promise<Status> {
  await expect
    .poll(async () => (await readStatus(server, ballotId)).processing, wait)
    .toMatch(/^(?:processed|failed)$/u);
  return readStatus(server, ballotId);
}

test.for(queues)(
  'through %s a ballot is received at once and processed by a worker of another process',
  async (queue) => {
    const { servers, startAnother } = await startServers(queue, { count: 2, records: false });
    const [first, second] = servers as [TestServer, TestServer];
    const poll = await createPoll(first.url);
    const received = await cast(first, poll, { userId: 'alice' });
    expect([received.status, received.json]).toEqual([
      202,
      { ballotId: idOf(received), pollId: poll.id, castAt: null, version: null, status: 'received' },
    ]);
    expect(received.headers.get('location')).toBe(`/api/v1/ballots/${idOf(received)}`);
    const again = await cast(first, poll, { userId: 'alice', selections: ['2'] });
    expect(again.status).toBe(202);
    for (const server of servers) {
      expect(await readStatus(server, idOf(received))).toMatchObject({ status: 'received', processing: 'received' });
    }
    expect((await get(`${second.url}/api/v1/ballots/${randomUUID()}`)).status).toBe(404);
    const worker = await startAnother(true);
    expect(await untilEnded(worker, idOf(received))).toMatchObject({ status: 'counted', processing: 'processed' });
    for (const server of servers) {
      expect(await readStatus(server, idOf(received))).toMatchObject({ status: 'counted', pollId: poll.id });
      expect(await untilEnded(server, idOf(again))).toMatchObject({ status: 'failed', reason: 'ballot_already_cast' });
      await expect
        .poll(async () => (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json, wait)
        .toMatchObject({ total: 1 });
    }
  },
);

test('with Prefer: wait the answer is that of a server without a queue, where the outcome comes in time', async () => {
  const { servers } = await startServers('redis');
  const [first] = servers as [TestServer, TestServer];
  const poll = await createPoll(first.url);
  const prefer = { prefer: 'respond-async, wait=10' };
  const counted = await cast(first, poll, { userId: 'alice' }, prefer);
  expect([counted.status, counted.headers.get('preference-applied')]).toEqual([201, 'wait=10']);
  expect(counted.json).toMatchObject({ pollId: poll.id, castAt: expect.any(String), version: 1 });
  const refused = await cast(first, poll, { userId: 'alice' }, prefer);
  expect([refused.status, refused.json]).toMatchObject([409, { code: 'ballot_already_cast', recorded: 'no' }]);
  const bob = (selection: string) =>
    cast(first, poll, { userId: 'bob', selections: [selection] }, { ...prefer, 'idempotency-key': 'of-bob' });
  const kept = await bob('1');
  expect([kept.status, (await bob('1')).text]).toEqual([201, kept.text]);
  const reused = await bob('2');
  expect([reused.status, reused.json]).toMatchObject([422, { code: 'idempotency_key_reused', recorded: 'no' }]);
  const { servers: alone } = await startServers('redis', { count: 1, records: false });
  const [idle] = alone as [TestServer];
  const late = await cast(idle, await createPoll(idle.url), {}, { prefer: 'wait=1' });
  expect([late.status, late.json]).toMatchObject([202, { status: 'received' }]);
});

test('the same key has the same receipt on every node, before and after it is counted and after the close', async () => {
  const { servers, startAnother } = await startServers('redis', { records: false });
  const [first, second] = servers as [TestServer, TestServer];
  for (const fields of [{}, { electorate: 'open' }, { revote: 'replace' }]) {
    const poll = await createPoll(first.url, fields);
    const body = fields.electorate === 'open' ? { userId: undefined } : { userId: 'alice' };
    const castWith = (server: TestServer, key: string): Promise<Answer> =>
      cast(server, poll, body as { userId?: string }, { 'idempotency-key': key });
    const answers = [await castWith(first, 'k'), await castWith(second, 'k'), await castWith(first, 'k')];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const [original] = answers as [Answer];
    expect(idOf(await castWith(first, 'other'))).not.toBe(idOf(original));
    const worker = await startAnother(true);
    expect((await untilEnded(worker, idOf(original))).processing).toBe('processed');
    expect((await castWith(second, 'k')).text).toBe(original.text);
    await post(`${first.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
    const late = await castWith(first, 'k');
    expect([late.status, idOf(late)]).toEqual([201, idOf(original)]);
    expect((await castWith(first, 'new')).status).toBe(409);
    await worker.stop();
  }
});

test.for(queues)(
  'through %s a close waits for what was accepted before it: a thousand ballots at the closing instant',
  async (queue) => {
    const { servers, startAnother } = await startServers(queue, { records: false });
    const [first, second] = servers as [TestServer, TestServer];
    const poll = await createPoll(first.url);
    const accepted: string[] = [];
    const closings: Promise<void>[] = [];
    const refusals = new Set<unknown>();
    const tallies: number[] = [];
    /** Casts without pause until both nodes say that it is over. */
    async function castUntilClosed(server: TestServer): Promise<void> {
      for (;;) {
        const answer = await cast(server, poll, {});
        if (answer.status === 202) {
          accepted.push(idOf(answer));
          if (accepted.length === 1_000) closings.push(closeSoon(first.url, poll));
        } else {
          refusals.add((answer.json as { code: string }).code);
          return;
        }
      }
    }
    await Promise.all(Array.from({ length: 40 }, (_, no) => castUntilClosed(no % 2 === 0 ? first : second)));
    await Promise.all(closings);
    expect(refusals).toEqual(new Set(['poll_closed']));
    expect(accepted.length).toBeGreaterThanOrEqual(1_000);
    const readPoll = async (): Promise<{ status: string }> =>
      (await get(`${second.url}/api/v1/polls/${poll.id}`)).json as { status: string };
    // Nobody records yet, so it cannot be over, however long one waits.
    expect((await readPoll()).status).toBe('closing');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await readPoll()).status).toBe('closing');
    const worker = await startAnother(true);
    await expect
      .poll(async () => {
        const { status } = await readPoll();
        const { total } = (await get(`${worker.url}/api/v1/polls/${poll.id}/tally`)).json as { total: number };
        if (status === 'closed') tallies.push(total);
        return status;
      }, wait)
      .toBe('closed');
    // As soon as it is closed it is final: every ballot that was accepted counts.
    expect(tallies[0]).toBe(accepted.length);
    const [{ counted } = { counted: 0 }] = await first.query<{ counted: string }>(
      `select count(*) as counted from ballots join polls using (poll_no)
    where id = $1 and cast_at < closes_at and ballot_id = any ($2::uuid[])`,
      [poll.id, accepted],
    );
    expect(Number(counted)).toBe(accepted.length);
  },
);

test.for(queues)(
  'through %s the first of two ballots of a voter counts, however many workers there are',
  async (queue) => {
    const { servers, startAnother } = await startServers(queue, { records: false });
    const [first] = servers as [TestServer, TestServer];
    await Promise.all([startAnother(true), startAnother(true)]);
    const poll = await createPoll(first.url);
    const voters = await Promise.all(
      Array.from({ length: 60 }, async (_, no) => {
        const userId = `voter ${no}`;
        const received = await cast(first, poll, { userId });
        const second = await cast(first, poll, { userId, selections: ['2'] });
        return [idOf(received), idOf(second)] as const;
      }),
    );
    for (const [counted, refused] of voters) {
      expect(await untilEnded(first, counted)).toMatchObject({ status: 'counted' });
      expect(await untilEnded(first, refused)).toMatchObject({ status: 'failed', reason: 'ballot_already_cast' });
    }
  },
);

test('the poll that a manager closes is closing, and closed as soon as the ballots are counted', async () => {
  const { servers } = await startServers('redis');
  const [first, second] = servers as [TestServer, TestServer];
  const poll = await createPoll(first.url);
  await Promise.all(Array.from({ length: 50 }, () => cast(first, poll, {})));
  const closed = await post(`${first.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
  expect(closed.json).toMatchObject({ status: expect.stringMatching(/^clos/u) });
  for (const server of [first, second]) {
    await expect
      .poll(async () => (await get(`${server.url}/api/v1/polls/${poll.id}`)).json, wait)
      .toMatchObject({ status: 'closed' });
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 50 });
  }
});

test('options are fixed from the opening on, because ballots may be on their way', async () => {
  const { servers } = await startServers('redis', { count: 1 });
  const [server] = servers as [TestServer];
  const poll = await createPoll(server.url);
  const key = { 'manage-key': poll.manageKey };
  const edited = await send('PATCH', `${server.url}/api/v1/polls/${poll.id}`, { options: ['A', 'B'] }, key);
  expect([edited.status, edited.json]).toMatchObject([409, { code: 'options_frozen' }]);
  const draft = await createPoll(server.url, { opensAt: '2999-01-01T00:00:00Z' });
  const early = await send(
    'PATCH',
    `${server.url}/api/v1/polls/${draft.id}`,
    { options: ['A', 'B'] },
    { 'manage-key': draft.manageKey },
  );
  expect(early.status).toBe(200);
});

test('a ballot whose poll is deleted under way ends as failed', async () => {
  const { servers, startAnother } = await startServers('redis', { count: 1, records: false });
  const [server] = servers as [TestServer];
  const poll = await createPoll(server.url);
  const received = await cast(server, poll, {});
  const deleted = await send(
    'DELETE',
    `${server.url}/api/v1/polls/${poll.id}`,
    { question: 'Tea or coffee?' },
    {
      'manage-key': poll.manageKey,
    },
  );
  expect(deleted.status).toBe(204);
  await startAnother(true);
  expect(await untilEnded(server, idOf(received))).toMatchObject({
    status: 'failed',
    reason: 'poll_not_found',
    pollId: null,
  });
});

test('the doors of the contracts go through the queue as well', async () => {
  const { servers } = await startServers('redis', { count: 1 });
  const [server] = servers as [TestServer];
  const body = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'], expired_at: '2999-01-01T00:00:00Z' };
  const poll = (await post(`${server.url}/polls`, body)).json as { id: string; options: { option_id: string }[] };
  const vote = { user_id: 'alice', option_id: poll.options[0]?.option_id };
  const accepted = await post(`${server.url}/polls/${poll.id}/vote`, vote);
  expect(accepted.status).toBe(202);
  expect(accepted.json).toMatchObject({ vote_id: expect.any(String) });
  const location = accepted.headers.get('location') ?? '';
  await expect
    .poll(async () => (await get(`${server.url}${location}`)).json, wait)
    .toMatchObject({ processing: 'processed' });
  expect((await get(`${server.url}/polls/${poll.id}`)).json).toMatchObject({ total_votes: 1 });
  const lines = ['{"selections":["1"],"userId":"a"}', '{"selections":["9"],"userId":"b"}'].join('\n');
  const board = await createPoll(server.url);
  const batch = await send('POST', `${server.url}/api/v1/polls/${board.id}/ballots:batch`, lines, {
    'content-type': 'application/x-ndjson',
  });
  expect(
    batch.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { outcome: string }).outcome),
  ).toEqual(['received', 'refused']);
});

test('ballots and votes that a broker takes are answered as the description of the API says', async () => {
  const { servers } = await startServers('redis', { count: 1, records: false });
  const [{ url }] = servers as [TestServer]; // As many as were asked for.
  const asking = await createAsking(url);
  const poll = await createPoll(url);
  const ballots = { operation: 'post /api/v1/polls/{poll}/ballots', path: `/api/v1/polls/${poll.id}/ballots` };
  const body = { selections: ['1'], userId: 'alice' };
  const received = await asking.ask({ ...ballots, body, headers: { prefer: 'wait=1' } });
  expect([received.status, received.headers.get('preference-applied')]).toEqual([202, 'wait=1']);
  const question = { question: 'Which?', options: ['a', 'b'], expired_at: '2090-03-30T00:00:00.000Z' };
  const party = (await post(`${url}/polls`, question)).json as { id: string; options: [{ option_id: string }] };
  const vote = { user_id: 'alice', option_id: party.options[0].option_id };
  const path = `/polls/${party.id}/vote`;
  expect((await asking.ask({ operation: 'post /polls/{id}/vote', path, body: vote })).status).toBe(202);
  expect(asking.differences).toEqual([]);
});
