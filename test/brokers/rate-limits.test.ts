/** Rate limits that servers share in Redis, and join codes that are guessed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@redis/client';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { Secret } from '../../server/lib/secret.ts';
import { createRateLimits } from '../../server/ops/rate-limits.ts';
import type { RateLimits } from '../../server/ops/rate-limit.ts';
import { openSharedMemory } from '../../server/ops/shared-memory.ts';
import { describeRateLimits, hadRoom, takeMany } from '../support/describe-rate-limit.ts';
import { createPoll, get } from '../support/http.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';

const log = pino({ level: 'silent' });
const patience = { timeout: 20_000, interval: 20 };
const options = { timesMax: 4, windowSeconds: 60 };

/** Limits as one more process of the installation has them, when its connection stands. */
async function openLimits(url: string, installation = randomBytes(8).toString('hex')): Promise<RateLimits> {
  const memory = await openSharedMemory({ place: { kind: 'server', url: new Secret(url, url) }, installation, log });
  onTestFinished(memory.close);
  const answers = (): Promise<boolean> =>
    memory.read('anything').then(
      () => true,
      () => false,
    );
  await expect.poll(answers, patience).toBe(true);
  return createRateLimits({ memory, log });
}

async function startOwnRedis(): Promise<RedisService> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-limits-'));
  const redis = await startRedis(folder);
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return redis;
}

describeRateLimits('in Redis', async () => openLimits((await startOwnRedis()).url));

test('processes of one installation count together, those of another do not', async () => {
  const installation = randomBytes(8).toString('hex');
  // One of its own: a server that waits too long for an answer counts by itself for a while.
  const { url } = await startOwnRedis();
  const [one, two] = [await openLimits(url, installation), await openLimits(url, installation)];
  const [first, second] = [one.create('votes', options), two.create('votes', options)];
  const waits = [...(await takeMany(first, 'a', 2)), ...(await takeMany(second, 'a', 3))];
  expect(hadRoom(waits)).toEqual([true, true, true, true, false]);
  expect(await first.look('a')).toBeGreaterThanOrEqual(1);
  const other = await openLimits(url);
  expect(await other.create('votes', options).look('a')).toBe(0);
});

test('a Redis that is killed or hangs lets nobody wait and nobody through without end', async () => {
  const redis = await startOwnRedis();
  const limit = (await openLimits(redis.url)).create('votes', options);
  expect(hadRoom(await takeMany(limit, 'a', 5))).toEqual([true, true, true, true, false]);
  process.kill(redis.pid(), 'SIGSTOP');
  expect(hadRoom(await takeMany(limit, 'a', 50)).filter(Boolean)).toHaveLength(4);
  await redis.kill();
  expect(await limit.look('a')).toBeGreaterThanOrEqual(1);
  await redis.restart();
  // There the count is still known: the file was written before the answer.
  const keys = async (): Promise<string[]> => readKeys(redis.url);
  await takeMany(limit, 'b', 1);
  await expect.poll(async () => (await limit.take('b'), (await keys()).length), patience).toBe(2);
});

async function readKeys(url: string): Promise<string[]> {
  const client = createClient({ url }).on('error', () => undefined);
  await client.connect();
  try {
    return await client.keys('*:rate:*');
  } finally {
    client.destroy();
  }
}

test('what Redis holds of a limit names nobody and is gone after the window', async () => {
  const redis = await startOwnRedis();
  const limit = (await openLimits(redis.url)).create('votes', { timesMax: 1, windowSeconds: 1 });
  await takeMany(limit, 'alice@example.org', 3);
  expect((await readKeys(redis.url)).join(' ')).not.toContain('alice');
  await expect.poll(() => readKeys(redis.url), patience).toEqual([]);
});

const join = async (server: TestServer, code: string): Promise<number> =>
  (await fetch(`${server.url}/j/${code}`, { redirect: 'manual' })).status;
const joinCodes = (server: TestServer, code: string) => get(`${server.url}/api/v1/polls?joinCode=${code}`);

test('codes that do not exist are counted for all servers and all ways together; those that do are not', async () => {
  const redis = await startOwnRedis();
  const databaseUrl = await createDatabase();
  const flags = ['--preset', 'none', '--join-misses-per-minute-max', '4'];
  const start = () => startOn(databaseUrl, flags, { REDIS_URL: redis.url });
  const [one, two] = [await start(), await start()];
  const { joinCode } = await createPoll(one.url);
  for (let round = 0; round < 10; round += 1) expect(await join(round % 2 === 0 ? one : two, joinCode)).toBe(303);
  // Redis is asked from the moment on in which the connection stands, so some may count at their server alone.
  let misses = 0;
  const miss = async (): Promise<number> => join((misses += 1) % 2 === 0 ? one : two, `ZZZZ${misses}`);
  await expect.poll(miss, patience).toBe(429);
  for (const server of [one, two]) {
    await expect.poll(() => join(server, joinCode), patience).toBe(429);
    const refused = await joinCodes(server, joinCode);
    expect([refused.status, refused.json]).toEqual([429, expect.objectContaining({ code: 'rate_limited' })]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
});
