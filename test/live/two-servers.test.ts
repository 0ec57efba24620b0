import { expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';
import { openSocketStream } from '../support/streams.ts';

const flags = ['--preset', 'none', '--live-frame-ms', '20'];

async function startTwo(): Promise<[TestServer, TestServer]> {
  const one = await startTestServer(...flags);
  return [one, await startOn(one.databaseUrl, flags)];
}

const cast = (server: TestServer, poll: TestPoll) =>
  post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
const totalAt = async (server: TestServer, poll: TestPoll): Promise<number> =>
  ((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json as { total: number }).total;

/** Ends every connection that listens, as a network would. */
const cutBus = (server: TestServer) =>
  server.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%' or (datname = current_database() and query like 'select pg_notify%')",
  );

test('ballots that one server counts are shown by the other, in its streams too', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  const stream = await openSocketStream(two.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('snapshot');
  await Promise.all(Array.from({ length: 200 }, (_, index) => cast(index % 2 === 0 ? one : two, poll)));
  await stream.next('tally', ({ total }) => total === 200);
  await expect.poll(() => totalAt(one, poll)).toBe(200);
  expect(await totalAt(two, poll)).toBe(200);
  const totals = stream.frames.flatMap((frame) => (frame.type === 'tally' ? [frame.total] : []));
  expect(totals).toEqual(totals.toSorted((a, b) => a - b));
});

test('a poll that one server closes, hides or changes is so at the other', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  const stream = await openSocketStream(two.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('snapshot');
  const headers = { 'manage-key': poll.manageKey };
  await send('PATCH', `${one.url}/api/v1/polls/${poll.id}`, { visibility: 'manager' }, headers);
  await stream.next('hidden');
  expect((await get(`${two.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(403);
  await post(`${one.url}/api/v1/polls/${poll.id}/close`, {}, headers);
  await stream.next('poll', ({ status }) => status === 'closed');
  expect((await get(`${two.url}/api/v1/polls/${poll.id}`)).json).toMatchObject({ status: 'closed', revision: 3 });
});

test('a poll that one server makes is on the home page and the leaderboard of the other', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  await cast(one, poll);
  const leaders = async (): Promise<unknown[]> =>
    ((await get(`${two.url}/api/v1/leaderboard`)).json as { entries: unknown[] }).entries;
  await expect.poll(leaders).toEqual([expect.objectContaining({ pollId: poll.id, votes: 1 }), expect.anything()]);
});

test('a bus that is cut comes back, and what was missed meanwhile is shown', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  const stream = await openSocketStream(two.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('snapshot');
  for (let round = 1; round <= 3; round += 1) {
    await cutBus(one);
    await Promise.all(Array.from({ length: 10 }, () => cast(one, poll)));
    await stream.next('tally', ({ total }) => total === round * 10);
  }
  await post(`${one.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
  await stream.next('poll', ({ status }) => status === 'closed');
});

test('what a server that died had no time to tell is shown by the others', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  await cast(one, poll);
  await expect.poll(() => totalAt(two, poll)).toBe(1);
  // A batch of another process that was committed, and of which nobody was told.
  await one.query(`
    with slot as (update slots set batch_no = batch_no + 1 where slot = (select min(slot) from slots) returning slot)
    update tallies set votes = votes + 1, ballots = ballots + 1, changes = changes + 1
    where slot = (select slot from slot) and option_no = 1
  `);
  await expect.poll(() => totalAt(two, poll), { timeout: 20_000 }).toBe(2);
});

test('a tally that is asked for at the other server is never hidden by a bus that brings old news', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  for (let round = 1; round <= 20; round += 1) {
    await cast(round % 2 === 0 ? one : two, poll);
    await expect.poll(() => totalAt(one, poll), { interval: 5 }).toBe(round);
    await expect.poll(() => totalAt(two, poll), { interval: 5 }).toBe(round);
  }
});

test('whoever follows a poll that is deleted is told so, at every server, and can follow others', async () => {
  const [one, two] = await startTwo();
  const poll = await createPoll(one.url, { electorate: 'open' });
  const other = await createPoll(one.url, { electorate: 'open' });
  const streams = await Promise.all(
    [one, two].map(({ url }) => openSocketStream(url, [{ type: 'subscribe', poll: poll.id }])),
  );
  for (const stream of streams) await stream.next('snapshot');
  await send(
    'DELETE',
    `${one.url}/api/v1/polls/${poll.id}`,
    { question: 'Tea or coffee?' },
    { 'manage-key': poll.manageKey },
  );
  for (const stream of streams) {
    expect(await stream.next('error')).toMatchObject({ code: 'poll_not_found', poll: poll.id });
    stream.send({ type: 'subscribe', poll: other.id });
    await stream.next('snapshot', (frame) => frame.poll === other.id);
  }
});
