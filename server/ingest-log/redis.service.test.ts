import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import pino from 'pino';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { describeSegmentLog } from '../../test/support/describe-segment-log.ts';
import { connectToRedis } from '../lib/redis-client.ts';
import { createAbsence } from '../lib/absence.ts';
import { Secret } from '../lib/secret.ts';
import { createRedisSegmentLog } from './redis.ts';
import { AppendFailed } from './segment-log.ts';

const silent = pino({ level: 'silent' });
let folder: string;
let broker: RedisService;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hustings-redis-'));
  broker = await startRedis(folder);
});

afterAll(async () => {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
});

describeSegmentLog('redis', () => broker);

async function openSample(queueName: string) {
  const url = new Secret(broker.url, broker.url);
  const log = await createRedisSegmentLog({ url, queueName, log: silent, claimMs: 1_000 });
  const client = await connectToRedis(url, { absence: createAbsence(), log: silent });
  return { log, client, close: () => log.close().then(() => client.destroy()) };
}

test('the stream is trimmed below what somebody still has to record, and nowhere else', async () => {
  const { log, client, close } = await openSample('trimmed');
  for (let no = 1; no <= 10; no += 1) await log.append(Buffer.from([no]));
  const taken: (() => void)[] = [];
  const consumption = await log.consume((delivery) => taken.push(delivery.acknowledge), 100);
  await expect.poll(() => taken.length).toBe(10);
  // The fourth stays: it and all behind it must not go.
  for (const [index, acknowledge] of taken.entries()) if (index !== 3) acknowledge();
  await expect.poll(() => client.xLen('trimmed')).toBe(7);
  taken[3]?.();
  await expect.poll(() => client.xLen('trimmed')).toBe(1);
  await consumption.stop();
  expect(await client.xInfoConsumers('trimmed', 'hustings')).toEqual([]);
  await close();
});

test.for([
  ['appendfsync', 'everysec'],
  ['maxmemory-policy', 'allkeys-lru'],
  ['no-appendfsync-on-rewrite', 'yes'],
  ['appendonly', 'no'],
] as const)('a Redis with %s = %s is refused, and the line says how to change it', async ([name, value]) => {
  const { log, client, close } = await openSample('weak');
  const { [name]: strict } = await client.configGet(name);
  await client.configSet(name, value);
  await expect(log.checkDurability()).rejects.toThrow(`config set ${name} ${strict}`);
  await client.configSet(name, strict ?? '');
  await log.checkDurability();
  // Switched on again, its file keeps nothing until all that it holds is in there.
  expect(await client.info('persistence')).toMatch(/^aof_rewrite_in_progress:0\r?$/mu);
  await close();
});

test('a full Redis refuses, and takes more when it has room again', async () => {
  const { log, client, close } = await openSample('full');
  await client.configSet('maxmemory', '1');
  const failure = await log.append(Buffer.alloc(100)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppendFailed);
  expect(failure).toMatchObject({ code: 'ingest_log_full', recorded: 'no' });
  await client.configSet('maxmemory', '0');
  await log.append(Buffer.alloc(100));
  expect(await log.measure()).toMatchObject({ segments: 1 });
  await close();
});

test('a Redis that is not there is told in one line', async () => {
  const url = new Secret('redis://:secret@127.0.0.1:1', 'redis://127.0.0.1:1');
  const failure = createRedisSegmentLog({ url, queueName: 'x', log: silent }).catch((error: unknown) => String(error));
  expect(await failure).toMatch(/^Error: Redis at redis:\/\/127\.0\.0\.1:1 does not answer: [^\n]*$/u);
});

test('a worker is counted while its connection lasts, whether it has anything to do or not', async () => {
  const { log, close } = await openSample('counted');
  const consumptions = await Promise.all([1, 2].map(() => log.consume(() => undefined, 10)));
  await expect.poll(async () => (await log.measure()).consumers).toBe(2);
  await consumptions[0]?.stop();
  await expect.poll(async () => (await log.measure()).consumers).toBe(1);
  await consumptions[1]?.stop();
  await close();
});
