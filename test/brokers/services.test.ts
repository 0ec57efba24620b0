/** The services that tests and development run on: they keep their data, and they end with whoever started them. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { createClient } from '@redis/client';
import pg from 'pg';
import { Connection } from 'rabbitmq-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../scripts/services/kafka.ts';
import { startRabbitmq } from '../../scripts/services/rabbitmq.ts';
import { startRedis } from '../../scripts/services/redis.ts';

const commandFile = path.resolve(import.meta.dirname, '../../scripts/services.ts');
const patience = { timeout: 30_000, interval: 50 };
const variableCount = 5;

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-services-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openRedis(url: string) {
  const client = createClient({ url }).on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

function openRabbitmq(url: string): Connection {
  const connection = new Connection(url);
  connection.on('error', () => undefined);
  onTestFinished(() => connection.unsafeDestroy());
  return connection;
}

test('every service answers that this run was given', async () => {
  const postgres = new pg.Client({ connectionString: inject('postgresUrl') });
  await postgres.connect();
  onTestFinished(() => postgres.end());
  expect((await postgres.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect(inject('redisUrls').length).toBeGreaterThanOrEqual(2);
  for (const url of inject('redisUrls')) expect(await (await openRedis(url)).ping()).toBe('PONG');
  const { queue } = await openRabbitmq(inject('rabbitmqUrl')).queueDeclare({ exclusive: true });
  expect(queue).not.toBe('');
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: inject('kafkaBrokers').split(',') });
  onTestFinished(() => admin.close());
  expect((await admin.metadata({ topics: [] })).brokers.size).toBeGreaterThanOrEqual(1);
});

test('a Redis that was killed comes back at its address with its keys', async () => {
  const redis = await startRedis(await makeFolder());
  onTestFinished(() => redis.stop());
  const before = redis.pid();
  await (await openRedis(redis.url)).set('ballot', 'kept').finally(() => redis.kill());
  expect(isAlive(before)).toBe(false);
  expect(() => redis.pid()).toThrow('does not run');
  await redis.restart();
  expect(redis.pid()).not.toBe(before);
  expect(await (await openRedis(redis.url)).get('ballot')).toBe('kept');
});

test('a Redis is strict, unless a test asks for a weak one', async () => {
  const redis = await startRedis(await makeFolder(), { settings: { appendfsync: 'everysec' } });
  onTestFinished(() => redis.stop());
  const settings = await (await openRedis(redis.url)).configGet(['appendonly', 'appendfsync', 'maxmemory-policy']);
  expect(settings).toEqual({ appendonly: 'yes', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' });
});

test('a RabbitMQ that was killed comes back at its address with its messages', async () => {
  const rabbitmq = await startRabbitmq(await makeFolder());
  onTestFinished(() => rabbitmq.stop());
  const connection = openRabbitmq(rabbitmq.url);
  await connection.queueDeclare({ queue: 'ballots', durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await rabbitmq.settle();
  await connection.createPublisher({ confirm: true }).send({ routingKey: 'ballots', durable: true }, 'kept');
  const before = rabbitmq.pid();
  await rabbitmq.kill();
  expect(isAlive(before)).toBe(false);
  await rabbitmq.restart();
  const again = openRabbitmq(rabbitmq.url);
  await expect.poll(async () => (await again.basicGet({ queue: 'ballots' }))?.body, patience).toBe('kept');
});

test('a Kafka that was killed comes back at its address with its topics and records', async () => {
  const kafka = await startKafka(await makeFolder());
  onTestFinished(() => kafka.stop());
  const client = { clientId: 'test', bootstrapBrokers: [kafka.brokers] };
  const admin = new Admin(client);
  await admin.createTopics({ topics: ['ballots'], partitions: 1, replicas: 1 });
  await admin.close();
  const producer = new Producer({ ...client, serializers: stringSerializers });
  await producer.send({ messages: [{ topic: 'ballots', value: 'kept' }], acks: -1 });
  await producer.close();
  const before = kafka.pid();
  await kafka.kill();
  expect(isAlive(before)).toBe(false);
  await kafka.restart();
  const consumer = new Consumer({ ...client, groupId: 'test', deserializers: stringDeserializers });
  onTestFinished(() => consumer.close(true));
  const messages = await consumer.consume({ topics: ['ballots'], mode: 'earliest' });
  for await (const { value } of messages) {
    expect(value).toBe('kept');
    break;
  }
});

test.for(['SIGKILL', 'SIGTERM'] as const)('nothing is left of the services after a %s', async (signal) => {
  const folder = await makeFolder();
  const command = await startCommand(folder);
  const started = descendantsOf(command.pid ?? 0);
  // The guard, PostgreSQL, three of Redis, RabbitMQ and its epmd, Kafka; and what some of them have started.
  expect(started.length).toBeGreaterThanOrEqual(8);
  expect((await readdir(folder)).filter((name) => name.startsWith('hustings-services-'))).toHaveLength(1);
  command.kill(signal);
  await expect.poll(() => started.filter(isAlive), patience).toEqual([]);
  await expect
    .poll(async () => (await readdir(folder)).filter((name) => name.startsWith('hustings-')), patience)
    .toEqual([]);
});

/** `scripts/services.ts` with all services of its own, when it has printed where they are. */
async function startCommand(temporaryFolder: string): Promise<ChildProcess> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('HUSTINGS_TEST_'));
  const command = spawn(process.execPath, [commandFile], {
    env: { ...Object.fromEntries(own), TMPDIR: temporaryFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(async () => {
    if (command.exitCode !== null || command.signalCode !== null) return;
    command.kill('SIGKILL');
    await once(command, 'exit');
  });
  let errors = '';
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const variables: string[] = [];
  for await (const line of createInterface({ input: command.stdout })) {
    variables.push(line.split('=', 1)[0] ?? '');
    if (variables.length === variableCount) break;
  }
  expect(variables, errors).toEqual(['DATABASE_URL', 'REDIS_URL', 'REDIS_NODES', 'RABBITMQ_URL', 'KAFKA_BROKERS']);
  return command;
}

type Process = { readonly pid: number; readonly parent: number; readonly isZombie: boolean };

function listProcesses(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, state = ''] = line.trim().split(/\s+/u);
    return { pid: Number(pid), parent: Number(parent), isZombie: state.startsWith('Z') };
  });
}

function descendantsOf(pid: number, processes = listProcesses()): number[] {
  const children = processes.filter(({ parent }) => parent === pid).map((child) => child.pid);
  return children.flatMap((child) => [child, ...descendantsOf(child, processes)]);
}

/** A zombie has ended; it waits for a parent that does not look. */
function isAlive(pid: number): boolean {
  return listProcesses().some((each) => each.pid === pid && !each.isZombie);
}
