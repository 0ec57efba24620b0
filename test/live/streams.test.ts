import { expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll } from '../support/http.ts';
import { scrape, valueOf } from '../support/metrics.ts';
import { closeSoon } from '../support/polls.ts';
import { shareTestServer, startTestServer, type TestServer } from '../support/server.ts';
import { openEventStream, openSocketStream } from '../support/streams.ts';

const shared = shareTestServer('--preset', 'none', '--live-frame-ms', '20', '--live-heartbeat-ms', '300');

function cast(server: TestServer, poll: TestPoll, option = '1') {
  return post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [option] });
}

async function castMany(server: TestServer, poll: TestPoll, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => cast(server, poll)));
}

const step = (server: TestServer, poll: TestPoll, name: string, body: object = {}) =>
  post(`${server.url}/api/v1/polls/${poll.id}/${name}`, body, { 'manage-key': poll.manageKey });
const edit = (server: TestServer, poll: TestPoll, body: object) =>
  send('PATCH', `${server.url}/api/v1/polls/${poll.id}`, body, { 'manage-key': poll.manageKey });

test('a subscription begins with a snapshot, and goes on with growing versions to the last ballot', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  await castMany(server, poll, 3);
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.slug }]);
  const snapshot = await stream.next('snapshot');
  expect(snapshot).toMatchObject({
    poll: poll.id,
    version: 3,
    total: 3,
    counts: [{ votes: 3 }, { votes: 0 }],
    status: 'open',
  });
  expect(snapshot.terms).toMatchObject({ slug: poll.slug, question: 'Tea or coffee?' });
  for (let round = 0; round < 10; round += 1) await castMany(server, poll, 20);
  await stream.next('tally', ({ total }) => total === 203);
  const versions = stream.frames.flatMap((frame) => ('version' in frame ? [frame.version] : []));
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  const tally = (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json;
  expect(tally).toMatchObject({ version: versions.at(-1), epoch: snapshot.epoch, total: 203 });
});

test('nothing is sent while nothing changes, but heartbeats', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('heartbeat');
  await stream.next('heartbeat');
  const types = new Set(stream.frames.map(({ type }) => type));
  types.delete('pulse');
  expect(types).toEqual(new Set(['snapshot', 'heartbeat']));
});

test('one socket follows several polls, and stops following', async () => {
  const server = shared();
  const [one, two] = await Promise.all([1, 2].map(() => createPoll(server.url, { electorate: 'open' })));
  if (one === undefined || two === undefined) throw new Error('two polls');
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', polls: [one.id, two.id] }]);
  await stream.next('snapshot', ({ poll }) => poll === one.id);
  await stream.next('snapshot', ({ poll }) => poll === two.id);
  stream.send({ type: 'unsubscribe', poll: one.slug });
  // Messages are taken one after the other. A heartbeat would say nothing: it may come by itself.
  stream.send({ type: 'subscribe', poll: 'no-such-poll' });
  await stream.next('error');
  await cast(server, one);
  await cast(server, two);
  await stream.next('tally', ({ poll }) => poll === two.id);
  await stream.next('heartbeat');
  expect(stream.frames.some((frame) => frame.type === 'tally' && frame.poll === one.id)).toBe(false);
});

test('a close is told with the last count', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('snapshot');
  await cast(server, poll);
  await step(server, poll, 'close');
  expect((await stream.next('poll', ({ status }) => status === 'closed')).terms.status).toBe('closed');
  // It comes before the close, or right behind it where both are told at one tick.
  const tallies = () => stream.frames.filter((frame) => frame.type === 'tally');
  await expect.poll(() => tallies().at(-1)).toMatchObject({ total: 1 });
});

test('a poll that opens and closes by time is told without anybody doing anything', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { opensAt: new Date(Date.now() + 2_000).toISOString() });
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  const statuses = () => stream.frames.flatMap((frame) => ('status' in frame ? [frame.status] : []));
  await expect.poll(statuses).toContain('open');
  await closeSoon(server.url, poll);
  await stream.next('poll', ({ status }) => status === 'closed');
});

test("a hidden poll's stream tells no count, no version and no timing, and shows all when it closes", async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open', visibility: 'after_close' });
  const socket = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  const events = await openEventStream(`${server.url}/api/v1/polls/${poll.id}/events`);
  await socket.next('hidden');
  await events.next('hidden');
  await castMany(server, poll, 7);
  for (const stream of [socket, events]) {
    await stream.next('heartbeat');
    await stream.next('heartbeat');
    expect(new Set(stream.frames.map(({ type }) => type))).toEqual(new Set(['hidden', 'heartbeat']));
    expect(JSON.stringify(stream.frames)).not.toMatch(/"(?:version|total|counts|votes|online|lastTenMinutes)"/u);
  }
  expect(events.ids.join(' ')).toMatch(/^\w+-hidden-1-open$/u);
  await step(server, poll, 'close');
  for (const stream of [socket, events])
    expect(await stream.next('snapshot')).toMatchObject({ total: 7, status: 'closed' });
});

test('results that the manager hides are gone from running streams, but not from the manager', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const voter = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  const manager = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id, manageKey: poll.manageKey }]);
  await Promise.all([voter.next('snapshot'), manager.next('snapshot')]);
  await edit(server, poll, { visibility: 'manager' });
  await voter.next('hidden');
  await cast(server, poll);
  expect((await manager.next('tally')).total).toBe(1);
  expect(voter.frames.some(({ type }) => type === 'tally')).toBe(false);
  await edit(server, poll, { visibility: 'always' });
  expect((await voter.next('snapshot')).total).toBe(1);
});

test('results that show after voting show to whoever holds a receipt', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open', visibility: 'after_vote' });
  const { ballotId } = (await cast(server, poll)).json as { ballotId: string };
  const stream = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  await stream.next('hidden');
  stream.send({ type: 'subscribe', poll: poll.id, ballot: ballotId });
  expect((await stream.next('snapshot')).total).toBe(1);
  const wrong = await openSocketStream(server.url, [
    { type: 'subscribe', poll: poll.id, ballot: '00000000-0000-7000-8000-000000000000' },
  ]);
  await wrong.next('hidden');
});

test('the leaderboard is followed, and changes with the ranking', async () => {
  const server = await startTestServer('--preset', 'none', '--live-frame-ms', '20');
  const poll = await createPoll(server.url, { electorate: 'open' });
  const stream = await openSocketStream(server.url, [{ type: 'subscribe_leaderboard', limit: 2 }]);
  expect((await stream.next('leaderboard')).leaderboard.entries).toHaveLength(2);
  await cast(server, poll, '2');
  const { leaderboard } = await stream.next('leaderboard', (frame) => frame.leaderboard.entries[0]?.votes === 1);
  expect(leaderboard.entries[0]).toMatchObject({ optionId: '2', pollSlug: poll.slug });
  const events = await openEventStream(`${server.url}/api/v1/leaderboard/events?limit=1`);
  expect((await events.next('leaderboard')).leaderboard.entries).toHaveLength(1);
});

test('an event stream that comes back misses nothing and is told nothing twice', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/api/v1/polls/${poll.id}/events`;
  const first = await openEventStream(url);
  await first.next('snapshot');
  await cast(server, poll);
  await first.next('tally');
  const known = first.ids.at(-1) ?? '';
  first.close();
  const same = await openEventStream(url, { 'last-event-id': known });
  await same.next('heartbeat');
  expect(same.frames.some(({ type }) => type === 'snapshot')).toBe(false);
  same.close();
  await castMany(server, poll, 4);
  const later = await openEventStream(url, { 'last-event-id': known });
  expect((await later.next('snapshot')).total).toBe(5);
});

test('a long poll answers when there is something new, and else when its time is up', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/api/v1/polls/${poll.id}/tally`;
  expect((await get(`${url}?wait=1&since=0`)).json).toMatchObject({ version: 0 });
  const waiting = get(`${url}?wait=60&since=0`);
  await cast(server, poll);
  expect((await waiting).json).toMatchObject({ version: 1 });
  expect((await get(`${url}?wait=60&since=0`)).json).toMatchObject({ version: 1 });
  const closing = get(`${url}?wait=60&since=1`);
  await step(server, poll, 'close');
  expect((await closing).json).toMatchObject({ version: 1, status: 'closed' });
  for (const query of ['wait=61&since=0', 'wait=-1&since=0', 'wait=x&since=0', 'wait=1&since=-1']) {
    expect([query, (await get(`${url}?${query}`)).status]).toEqual([query, 400]);
  }
});

test('a server that stops tells its sockets to come back, and ends streams and long polls at once', async () => {
  const server = await startTestServer('--preset', 'none', '--metrics-port', '0');
  const poll = await createPoll(server.url, { electorate: 'open' });
  const socket = await openSocketStream(server.url, [{ type: 'subscribe', poll: poll.id }]);
  const events = await openEventStream(`${server.url}/api/v1/polls/${poll.id}/events`);
  await Promise.all([socket.next('snapshot'), events.next('snapshot')]);
  const waiting = get(`${server.url}/api/v1/polls/${poll.id}/tally?wait=60&since=0`);
  // Until the server has the request, it would be refused and not ended.
  const longPolls = async () =>
    valueOf(await scrape(server.running.metricsPort), 'hustings_live_connections', { transport: 'long_poll' });
  await expect.poll(longPolls).toBe(1);
  await server.stop();
  expect(await socket.ended).toEqual({ code: 4001, reason: 'shutting_down' });
  expect((await events.ended).reason).toBe('ended');
  expect((await waiting).status).toBe(200);
});
