/** What the contract `election` keeps in Redis: results for a while, and the votes of a minute. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../scripts/services/redis.ts';
import { candidateIds, readResults, sendVote, startElectionOn, voteIdOf } from '../support/election.ts';
import { get, send } from '../support/http.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';
import { testSecret } from '../support/tokens.ts';

const [ada, grace] = candidateIds;
/** Results that are made anew in between have another time. */
const stepMs = 5;

async function startServices() {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-redis-'));
  const redis = await startRedis(folder);
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const databaseUrl = await createDatabase();
  const env = { JWT_SECRET_KEY: testSecret, REDIS_URL: redis.url };
  return {
    redis,
    databaseUrl,
    start: (...flags: string[]) => startOn(databaseUrl, ['--preset', 'election', '--queue', 'direct', ...flags], env),
  };
}

/** The time of the results tells whether they came from Redis. */
async function updatedAt({ url }: TestServer): Promise<number> {
  const { last_updated: at } = (await get(`${url}/api/v1/results`)).json as { last_updated: string };
  return Date.parse(at);
}

/** How long Redis will keep what it has; 0 where that is nothing. */
async function readKeptMs(redisUrl: string): Promise<number> {
  const client = await createClient({ url: redisUrl }).connect();
  try {
    const times = await Promise.all((await client.keys('*')).map((key) => client.pTTL(key)));
    return Math.max(0, ...times);
  } finally {
    client.destroy();
  }
}

/** Redis is asked from the moment on in which the connection stands. */
async function untilKept(server: TestServer): Promise<void> {
  const isKept = async (): Promise<boolean> => {
    const at = await updatedAt(server);
    await sleep(stepMs);
    return at === (await updatedAt(server));
  };
  await expect.poll(isKept).toBe(true);
}

test('results are kept for their time and then made anew, for all servers', async () => {
  const { redis, start } = await startServices();
  const servers = [await start('--results-cache-ttl-seconds', '2'), await start('--results-cache-ttl-seconds', '2')];
  const [first, second] = servers as [TestServer, TestServer];
  await untilKept(first);
  await untilKept(second);
  // The same results have the same time, whichever server made them.
  const areShared = async (): Promise<boolean> => (await updatedAt(first)) === (await updatedAt(second));
  await expect.poll(areShared).toBe(true);
  expect(await readKeptMs(redis.url)).toBeLessThanOrEqual(2_000);
  voteIdOf(await sendVote(first, 'alice', ada));
  for (const server of servers) {
    await expect.poll(() => readResults(server, `?candidate_id=${ada}`)).toEqual([['Ada Lovelace', 1]]);
  }
});

test('what is kept is not shown once the poll hides its results', async () => {
  const { start } = await startServices();
  const server = await start();
  await untilKept(server);
  const { manageKey } = server.running.sample ?? { manageKey: null };
  const hide = { visibility: 'manager' };
  await send('PATCH', `${server.url}/api/v1/polls/election`, hide, { 'manage-key': manageKey ?? '' });
  expect((await get(`${server.url}/api/v1/results`)).status).toBe(403);
});

test('votes a minute are counted for all servers together', async () => {
  const { start } = await startServices();
  const first = await start('--votes-per-minute-max', '4');
  const second = await start('--votes-per-minute-max', '4');
  await untilKept(first);
  await untilKept(second);
  const castSix = async (user: string): Promise<number[]> => {
    const statuses: number[] = [];
    for (const server of [first, second, first, second, first, second]) {
      const { status, headers } = await sendVote(server, user, ada);
      statuses.push(status);
      if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    return statuses;
  };
  // A server that waits too long for an answer of Redis counts by itself for a while.
  await expect.poll(() => castSix(randomUUID())).toEqual([202, 202, 202, 202, 429, 429]);
  expect((await sendVote(second, 'bob', ada)).status).toBe(202);
});

test('without Redis results come from the ledger and each server counts for itself, at the start, too', async () => {
  const { redis, start, databaseUrl } = await startServices();
  const server = await start('--votes-per-minute-max', '2');
  await untilKept(server);
  await redis.stop();
  voteIdOf(await sendVote(server, 'alice', grace));
  await expect
    .poll(() => readResults(server))
    .toEqual([
      ['Grace Hopper', 1],
      ['Ada Lovelace', 0],
      ['Edsger Dijkstra', 0],
    ]);
  expect((await sendVote(server, 'alice', grace)).status).toBe(202);
  expect((await sendVote(server, 'alice', grace)).status).toBe(429);
  await server.stop();
  const second = await start();
  voteIdOf(await sendVote(second, 'bob', grace));
  await expect.poll(async () => (await readResults(second))[0]).toEqual(['Grace Hopper', 2]);
  const third = await startElectionOn(databaseUrl);
  await expect.poll(async () => (await readResults(third))[0]).toEqual(['Grace Hopper', 2]);
});
