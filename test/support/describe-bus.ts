/** What servers on one ledger show of each other's doings, whatever carries the news between them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Environment } from '../../server/lib/setting-table.ts';
import { createPoll, get, post, send, type TestPoll } from './http.ts';
import { createDatabase, startOn, type TestServer } from './server.ts';
import { openSocketStream, type SocketStream } from './streams.ts';

export type TestBus = {
  readonly flags: readonly string[];
  readonly env: Environment;
  /** Ends every connection that hears of tallies, as a network would. `server` is any of those that use it. */
  cut(server: TestServer): Promise<unknown>;
};

export type Servers = readonly [TestServer, TestServer, ...TestServer[]];

const flags = ['--preset', 'none', '--live-frame-ms', '20'];
const castersPerServer = 4;
/** A server without news looks at the ledger each second; a busy machine needs several of these. */
export const patience = { timeout: 30_000, interval: 50 };

export async function startServers(bus: TestBus, count: number): Promise<Servers> {
  const databaseUrl = await createDatabase();
  const servers: TestServer[] = [];
  for (let index = 0; index < count; index += 1) servers.push(await startMore(bus, databaseUrl));
  return servers as readonly TestServer[] as Servers; // Nobody asks for fewer than two.
}

export const startMore = (bus: TestBus, databaseUrl: string): Promise<TestServer> =>
  startOn(databaseUrl, [...flags, ...bus.flags], bus.env);

export const cast = (server: TestServer, poll: TestPoll) =>
  post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });

export async function totalAt(server: TestServer, poll: TestPoll): Promise<number> {
  return ((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json as { total: number }).total;
}

export const totalsAt = (servers: readonly TestServer[], poll: TestPoll): Promise<number[]> =>
  Promise.all(servers.map((server) => totalAt(server, poll)));

/** Every server shows what the ledger holds, which is what was acknowledged. */
export async function expectAllShow(servers: Servers, poll: TestPoll, acknowledged: number): Promise<void> {
  const [{ count } = { count: 0 }] = await servers[0].query<{ count: number }>(
    'select count(*)::int as count from ballots join polls using (poll_no) where polls.id = $1',
    [poll.id],
  );
  expect(count).toBe(acknowledged);
  await expect.poll(() => totalsAt(servers, poll), patience).toEqual(servers.map(() => acknowledged));
}

export type Load = {
  /** How many were acknowledged so far. */
  acknowledged(): number;
  /** Resolves when so many more were acknowledged. */
  more(count: number): Promise<void>;
  /** Resolves with the number of those acknowledged, when the last has been answered. */
  stop(): Promise<number>;
};

/** Ballots at all servers at once, one after the other, until it is stopped. */
export function castAt(servers: Servers, poll: TestPoll): Load {
  let acknowledged = 0;
  let isOver = false;
  const casters = servers
    .flatMap((server) => Array<TestServer>(castersPerServer).fill(server))
    .map(async (server) => {
      while (!isOver) {
        expect((await cast(server, poll)).status).toBe(201);
        acknowledged += 1;
      }
    });
  const ended = Promise.all(casters);
  onTestFinished(() => {
    isOver = true;
  });
  return {
    acknowledged: () => acknowledged,
    async more(count) {
      const goal = acknowledged + count;
      const isReached = async (): Promise<void> => {
        await expect.poll(() => acknowledged, patience).toBeGreaterThanOrEqual(goal);
      };
      // A ballot that was refused ends the waiting.
      await Promise.race([ended, isReached()]);
    },
    async stop() {
      isOver = true;
      await ended;
      return acknowledged;
    },
  };
}

export async function followAt(servers: readonly TestServer[], poll: TestPoll): Promise<SocketStream[]> {
  const streams = await Promise.all(
    servers.map(({ url }) => openSocketStream(url, [{ type: 'subscribe', poll: poll.id }])),
  );
  await Promise.all(streams.map((stream) => stream.next('snapshot')));
  return streams;
}

/** Every stream has reached the total, and has never gone down on its way. */
export async function expectStreamsReach(streams: readonly SocketStream[], total: number): Promise<void> {
  for (const stream of streams) {
    const seen = () => stream.frames.flatMap((frame) => (frame.type === 'tally' ? [frame.total] : []));
    await expect.poll(() => seen().at(-1), patience).toBe(total);
    expect(seen()).toEqual(seen().toSorted((a, b) => a - b));
  }
}

/** The suite that every bus passes. */
export function describeBus(name: string, open: () => Promise<TestBus>): void {
  const start = async (count: number): Promise<Servers> => startServers(await open(), count);
  describe(`servers that hear of each other over ${name}`, () => {
    describeNews(start);
    describePolls(start);
    describeLoss(open);
  });
}

function describeNews(start: (count: number) => Promise<Servers>): void {
  test.for([2, 3])('ballots that one of %i servers counts are shown by all, in their streams too', async (count) => {
    const servers = await start(count);
    const poll = await createPoll(servers[0].url, { electorate: 'open' });
    const streams = await followAt(servers, poll);
    const load = castAt(servers, poll);
    await load.more(200);
    const total = await load.stop();
    await expectAllShow(servers, poll, total);
    await expectStreamsReach(streams, total);
  });

  test('a tally that is asked for at the other server is never hidden by a bus that brings old news', async () => {
    const [one, two] = await start(2);
    const poll = await createPoll(one.url, { electorate: 'open' });
    for (let round = 1; round <= 20; round += 1) {
      await cast(round % 2 === 0 ? one : two, poll);
      await expect.poll(() => totalAt(one, poll), { interval: 5 }).toBe(round);
      await expect.poll(() => totalAt(two, poll), { interval: 5 }).toBe(round);
    }
  });

  test('what a server that died had no time to tell is shown by the others', async () => {
    const [one, two] = await start(2);
    const poll = await createPoll(one.url, { electorate: 'open' });
    await cast(one, poll);
    await expect.poll(() => totalAt(two, poll), patience).toBe(1);
    // A batch of another process that was committed, and of which nobody was told.
    await one.query(`
      with slot as (update slots set batch_no = batch_no + 1 where slot = (select min(slot) from slots) returning slot)
      update tallies set votes = votes + 1, ballots = ballots + 1, changes = changes + 1
      where slot = (select slot from slot) and option_no = 1
    `);
    await expect.poll(() => totalAt(two, poll), patience).toBe(2);
  });
}

function describePolls(start: (count: number) => Promise<Servers>): void {
  test('a poll that one server closes, hides or changes is so at the other', async () => {
    const [one, two] = await start(2);
    const poll = await createPoll(one.url, { electorate: 'open' });
    const [stream] = await followAt([two], poll);
    const headers = { 'manage-key': poll.manageKey };
    await send('PATCH', `${one.url}/api/v1/polls/${poll.id}`, { visibility: 'manager' }, headers);
    await stream?.next('hidden');
    expect((await get(`${two.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(403);
    await post(`${one.url}/api/v1/polls/${poll.id}/close`, {}, headers);
    await stream?.next('poll', ({ status }) => status === 'closed');
    expect((await get(`${two.url}/api/v1/polls/${poll.id}`)).json).toMatchObject({ status: 'closed', revision: 3 });
  });

  test('a poll that one server makes is on the home page and the leaderboard of the other', async () => {
    const [one, two] = await start(2);
    const poll = await createPoll(one.url, { electorate: 'open' });
    await cast(one, poll);
    const leaders = async (): Promise<unknown[]> =>
      ((await get(`${two.url}/api/v1/leaderboard`)).json as { entries: unknown[] }).entries;
    await expect
      .poll(leaders, patience)
      .toEqual([expect.objectContaining({ pollId: poll.id, votes: 1 }), expect.anything()]);
  });

  test('whoever follows a poll that is deleted is told so, at every server, and can follow others', async () => {
    const servers = await start(2);
    const [one] = servers;
    const poll = await createPoll(one.url, { electorate: 'open' });
    const other = await createPoll(one.url, { electorate: 'open' });
    const streams = await followAt(servers, poll);
    const headers = { 'manage-key': poll.manageKey };
    await send('DELETE', `${one.url}/api/v1/polls/${poll.id}`, { question: 'Tea or coffee?' }, headers);
    for (const stream of streams) {
      expect(await stream.next('error')).toMatchObject({ code: 'poll_not_found', poll: poll.id });
      stream.send({ type: 'subscribe', poll: other.id });
      await stream.next('snapshot', (frame) => frame.poll === other.id);
    }
  });
}

function describeLoss(open: () => Promise<TestBus>): void {
  test('a bus that is cut comes back, and what was missed meanwhile is shown', async () => {
    const bus = await open();
    const servers = await startServers(bus, 2);
    const [one, two] = servers;
    const poll = await createPoll(one.url, { electorate: 'open' });
    const [stream] = await followAt([two], poll);
    for (let round = 1; round <= 3; round += 1) {
      await bus.cut(one);
      await Promise.all(Array.from({ length: 10 }, () => cast(one, poll)));
      await stream?.next('tally', ({ total }) => total === round * 10);
    }
    await post(`${one.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
    await stream?.next('poll', ({ status }) => status === 'closed');
  });

  test('three servers whose bus is cut again and again under load all show what the ledger holds', async () => {
    const bus = await open();
    const servers = await startServers(bus, 3);
    const poll = await createPoll(servers[0].url, { electorate: 'open' });
    const streams = await followAt(servers, poll);
    const load = castAt(servers, poll);
    for (let round = 0; round < 8; round += 1) {
      await load.more(50);
      await bus.cut(servers[0]);
    }
    await load.more(50);
    const total = await load.stop();
    await expectAllShow(servers, poll, total);
    await expectStreamsReach(streams, total);
  });
}
