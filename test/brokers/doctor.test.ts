/** `hustings doctor` against brokers and Redis nodes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { diagnose } from '../../server/commands/doctor.ts';
import { parseConfig } from '../../server/config.ts';
import type { Environment } from '../../server/lib/setting-table.ts';

const log = pino({ level: 'silent' });

async function ask(env: Environment, ...argv: string[]): Promise<{ well: boolean; lines: string[] }> {
  const config = parseConfig({ argv: ['--port', '0', ...argv], env: { DATABASE_URL: inject('postgresUrl'), ...env } });
  const { well, report } = await diagnose(config, log);
  return { well, lines: report.split('\n') };
}

async function openRedis(settings: Record<string, string>): Promise<RedisService> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-doctor-'));
  const redis = await startRedis(folder, { settings });
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return redis;
}

test('a Redis as it comes out of the box fails as a broker, and the line names both settings and their remedies', async () => {
  const { url } = await openRedis({ appendonly: 'no', appendfsync: 'everysec' });
  const { well, lines } = await ask({ REDIS_URL: url }, '--queue', 'redis');
  expect(well).toBe(false);
  const line = lines.find((each) => each.startsWith('FAIL redis: '));
  expect(line).toContain('appendonly = no');
  expect(line).toContain('appendfsync = everysec');
  expect(line).toContain('"redis-cli config set appendfsync always"');
  // A board may be lost: it is filled again.
  const board = await ask({ REDIS_NODES: url });
  expect(board.lines.find((each) => each.includes(' redis node: '))).toMatch(/^ok .*evicts nothing/u);
});

test('a node that evicts is a warning', async () => {
  const { url } = await openRedis({ maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' });
  const { lines } = await ask({ REDIS_NODES: url });
  expect(lines.find((each) => each.includes(' redis node: '))).toMatch(/^warn .*maxmemory-policy noeviction/u);
});

test('durable brokers are well, and a queue without a worker is a warning', async () => {
  const stream = { REDIS_STREAM: 'doctor', RABBITMQ_QUEUE_NAME: 'doctor', KAFKA_TOPIC: 'doctor' };
  const redisUrl = inject('redisUrls')[0];
  const brokers: [queue: string, env: Environment][] = [
    ['redis', { REDIS_URL: redisUrl }],
    ['rabbitmq', { RABBITMQ_URL: inject('rabbitmqUrl') }],
    ['kafka', { KAFKA_BROKERS: inject('kafkaBrokers') }],
  ];
  for (const [queue, env] of brokers) {
    const { lines } = await ask({ ...stream, ...env }, '--queue', queue, '--worker=false');
    expect(lines).toContain(`ok   ${queue}: it answers, and keeps what it has acknowledged.`);
    expect(lines).toContain('ok   dead letters: none.');
    expect(lines.find((each) => each.includes(' queue: '))).toMatch(
      /: 0 segments wait, workers: (?:0\. Ballots are accepted|not known)/u,
    );
  }
});
