/** The bus over Redis: the suite of every bus, and what befalls a Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@redis/client';
import pg from 'pg';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { Secret } from '../../server/lib/secret.ts';
import { startRedisBus } from '../../server/live/redis-bus.ts';
import {
  cast,
  castAt,
  describeBus,
  expectAllShow,
  expectStreamsReach,
  followAt,
  patience,
  startMore,
  startServers,
  totalAt,
  totalsAt,
  type TestBus,
} from '../support/describe-bus.ts';
import { createPoll } from '../support/http.ts';
import { createDatabase } from '../support/server.ts';

/** A Redis of the test's own, because the tests cut all of its connections and kill it. */
async function openBus(): Promise<TestBus & { readonly redis: RedisService }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-bus-'));
  const redis = await startRedis(folder);
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    redis,
    flags: ['--bus', 'redis'],
    env: { REDIS_URL: redis.url },
    async cut() {
      await ask(redis, ['CLIENT', 'KILL', 'TYPE', 'pubsub']);
    },
  };
}

async function ask(redis: RedisService, command: string[]): Promise<unknown> {
  const client = createClient({ url: redis.url }).on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

/** How many servers listen. The channel is named after the ledger. */
async function countListeners(redis: RedisService): Promise<number> {
  const [channel] = (await ask(redis, ['PUBSUB', 'CHANNELS', 'hustings:*:tallies'])) as string[];
  if (channel === undefined) return 0;
  const [, count] = (await ask(redis, ['PUBSUB', 'NUMSUB', channel])) as [string, number];
  return count;
}

/** What goes over the bus from now on. */
async function overhear(redis: RedisService): Promise<string[]> {
  const heard: string[] = [];
  const client = createClient({ url: redis.url }).on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.destroy());
  await client.pSubscribe('hustings:*:tallies', (message) => heard.push(message));
  return heard;
}

describeBus('Redis', openBus);

test('a Redis that is killed under load and comes back takes no vote with it, and carries news again', async () => {
  const bus = await openBus();
  const servers = await startServers(bus, 3);
  const poll = await createPoll(servers[0].url, { electorate: 'open' });
  const streams = await followAt(servers, poll);
  const load = castAt(servers, poll);
  for (let round = 0; round < 3; round += 1) {
    await load.more(50);
    await bus.redis.kill();
    await load.more(50);
    await bus.redis.restart();
    await expect.poll(() => countListeners(bus.redis), patience).toBe(3);
  }
  const heard = await overhear(bus.redis);
  await load.more(50);
  await expect.poll(() => heard.length, patience).toBeGreaterThan(0);
  const total = await load.stop();
  await expectAllShow(servers, poll, total);
  await expectStreamsReach(streams, total);
});

test('while there is no Redis servers start, and show what the ledger holds; when it comes they listen', async () => {
  const bus = await openBus();
  await bus.redis.kill();
  const servers = await startServers(bus, 2);
  const [one, two] = servers;
  const poll = await createPoll(one.url, { electorate: 'open' });
  await cast(one, poll);
  await expect.poll(() => totalAt(two, poll), patience).toBe(1);
  await bus.redis.restart();
  await expect.poll(() => countListeners(bus.redis), patience).toBe(2);
  await cast(two, poll);
  await expect.poll(() => totalsAt(servers, poll), patience).toEqual([2, 2]);
});

test('a Redis that hangs is left, and listened to again when it goes on', async () => {
  const bus = await openBus();
  const servers = await startServers(bus, 2);
  const [one, two] = servers;
  const poll = await createPoll(one.url, { electorate: 'open' });
  const before = await readClientIds(bus.redis);
  expect(before).toHaveLength(2);
  process.kill(bus.redis.pid(), 'SIGSTOP');
  try {
    for (let round = 1; round <= 8; round += 1) {
      expect((await cast(one, poll)).status).toBe(201);
      await expect.poll(() => totalAt(two, poll), patience).toBe(round);
    }
  } finally {
    process.kill(bus.redis.pid(), 'SIGCONT');
  }
  const listensAnew = async (): Promise<boolean> => {
    const now = await readClientIds(bus.redis);
    return now.length === 2 && now.every((id) => !before.includes(id));
  };
  await expect.poll(listensAnew, patience).toBe(true);
  const heard = await overhear(bus.redis);
  await cast(one, poll);
  await expect.poll(() => heard.length, patience).toBeGreaterThan(0);
  await expect.poll(() => totalsAt(servers, poll), patience).toEqual([9, 9]);
});

/** The connections that listen to the bus. */
async function readClientIds(redis: RedisService): Promise<string[]> {
  const list = String(await ask(redis, ['CLIENT', 'LIST', 'TYPE', 'pubsub']));
  return [...list.matchAll(/^id=(\d+) .* sub=1 /gmu)].map(([, id = '']) => id);
}

test('servers on two ledgers share a Redis and do not hear each other', async () => {
  const bus = await openBus();
  const [one] = await startServers(bus, 2);
  const [other] = await startServers(bus, 2);
  // The first poll of each ledger has the same number, and the slots of the two have, too.
  const poll = await createPoll(one.url, { electorate: 'open' });
  const otherPoll = await createPoll(other.url, { electorate: 'open' });
  const heard = await overhear(bus.redis);
  for (let round = 0; round < 5; round += 1) await cast(one, poll);
  await expect.poll(() => heard.length, patience).toBeGreaterThan(0);
  await cast(other, otherPoll);
  expect(await totalAt(other, otherPoll)).toBe(1);
});

test('a server that comes later hears of everything', async () => {
  const bus = await openBus();
  const [one] = await startServers(bus, 2);
  const poll = await createPoll(one.url, { electorate: 'open' });
  await cast(one, poll);
  const late = await startMore(bus, one.databaseUrl);
  expect(await totalAt(late, poll)).toBe(1);
  await cast(one, poll);
  await expect.poll(() => totalAt(late, poll), patience).toBe(2);
});

test('the listener is told each time when a connection is back, to Redis or to the ledger, and not at the start', async () => {
  const { redis } = await openBus();
  const connectionString = await createDatabase();
  let backCount = 0;
  const listener = {
    onDelta: () => undefined,
    onTooMuch: () => undefined,
    onPoll: () => undefined,
    onBack: () => void (backCount += 1),
  };
  const log = pino({ level: 'silent' });
  const place = { kind: 'server', url: new Secret(redis.url, redis.url) } as const;
  const options = { statementTimeoutMs: 10_000, log, place, installation: 'test' };
  const bus = await startRedisBus({ connectionString }, listener, options);
  onTestFinished(bus.stop);
  expect([backCount, await countListeners(redis)]).toEqual([0, 1]);
  await ask(redis, ['CLIENT', 'KILL', 'TYPE', 'pubsub']);
  await expect.poll(() => backCount, patience).toBe(1);
  const ledger = new pg.Client({ connectionString });
  await ledger.connect();
  onTestFinished(() => ledger.end());
  await ledger.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'",
  );
  await expect.poll(() => backCount, patience).toBe(2);
  await redis.kill();
  await redis.restart();
  await expect.poll(() => backCount, patience).toBe(3);
});
