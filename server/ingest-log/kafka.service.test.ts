import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startKafka, type KafkaService } from '../../scripts/services/kafka.ts';
import { describeSegmentLog } from '../../test/support/describe-segment-log.ts';
import { createKafkaSegmentLog } from './kafka.ts';
import type { Delivery, SegmentLog } from './segment-log.ts';

let folder: string;
let broker: KafkaService;

const poll = { timeout: 60_000, interval: 20 };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hustings-kafka-'));
  broker = await startKafka(folder);
});

afterAll(async () => {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
});

describeSegmentLog('kafka', () => ({ ...broker, url: broker.brokers }));

function makeName(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}

async function open(queueName: string, groupId = queueName): Promise<SegmentLog> {
  const address = { brokers: [broker.brokers], clientId: 'hustings-test', security: { tls: null, sasl: null } };
  const log = await createKafkaSegmentLog({ ...address, groupId, queueName, log: pino({ level: 'silent' }) });
  onTestFinished(() => log.close());
  return log;
}

function openAdmin(): Admin {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.brokers], retries: 5, retryDelay: 200 });
  onTestFinished(() => admin.close());
  return admin;
}

/** What a consumer was given, by its text; each is acknowledged a little later. */
async function take(log: SegmentLog, texts: string[]): Promise<{ stop(): Promise<void> }> {
  const onDelivery = (delivery: Delivery): void => {
    texts.push(String(delivery.bytes));
    setTimeout(() => delivery.acknowledge(), 1);
  };
  return log.consume(onDelivery, 20);
}

describe('the settings of a topic', () => {
  test.for([
    ['flush.messages', '2'],
    ['unclean.leader.election.enable', 'true'],
    ['retention.ms', '3600000'],
    ['cleanup.policy', 'compact'],
  ] as const)('a topic that somebody made with %s = %s is refused by that name', async ([name, value]) => {
    const topic = makeName();
    const safe = Object.entries({
      'flush.messages': '1',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      [name]: value,
    });
    const configs = safe.map(([each, is]) => ({ name: each, value: is }));
    await openAdmin().createTopics({ topics: [topic], partitions: 1, replicas: 1, configs });
    const log = await open(topic);
    await expect(log.checkDurability()).rejects.toThrow(
      new RegExp(`^Kafka's topic ${topic} has ${name} = ${value}, .*--add-config ${name}=`, 'u'),
    );
  });
});

describe('a consumer group', () => {
  test('consumers that come and go repeat nothing while nothing fails', async () => {
    const topic = makeName();
    const [log, other] = [await open(topic), await open(topic)];
    const texts: string[] = [];
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      const numbers = Array.from({ length: count }, () => (sent += 1));
      await Promise.all(numbers.map((number) => log.append(Buffer.from(`segment ${number}`))));
    };
    const first = await take(log, texts);
    await expect.poll(() => send(20).then(() => texts.length), poll).toBeGreaterThan(100);
    for (let turns = 0; turns < 3; turns += 1) {
      const comes = await take(other, texts);
      await expect.poll(() => send(20).then(() => log.measure()), poll).toMatchObject({ consumers: 2 });
      await expect.poll(() => send(20).then(() => texts.length), poll).toBeGreaterThan(sent - 200);
      await comes.stop();
    }
    await expect.poll(() => new Set(texts).size, poll).toBe(sent);
    await first.stop();
    expect(texts).toHaveLength(sent);
    expect(await log.measure()).toEqual({ segments: 0, consumers: 0 });
  });

  test('two topics may share the name of a group', async () => {
    const group = makeName();
    const logs = [await open(makeName(), group), await open(makeName(), group)];
    const texts = await Promise.all(
      logs.map(async (log) => {
        const taken: string[] = [];
        await take(log, taken);
        return taken;
      }),
    );
    for (const [index, log] of logs.entries()) {
      // More than partitions, so that each of them has one.
      await Promise.all(Array.from({ length: 30 }, (_, no) => log.append(Buffer.from(`${index} ${no}`))));
    }
    await expect.poll(() => texts.map((each) => new Set(each).size), poll).toEqual([30, 30]);
    expect(texts.map((each) => new Set(each.map((text) => text.split(' ')[0])))).toEqual([
      new Set(['0']),
      new Set(['1']),
    ]);
  });

  test('a commit beyond the end of the log, as after a loss of records, hides nothing', async () => {
    const topic = makeName();
    const log = await open(topic);
    const partitionOffsets = Array.from({ length: 12 }, (_, partition) => ({ partition, offset: 1_000n }));
    await openAdmin().alterConsumerGroupOffsets({ groupId: topic, topics: [{ name: topic, partitionOffsets }] });
    await log.append(Buffer.from('here'));
    expect((await log.measure()).segments).toBe(1);
    const texts: string[] = [];
    await take(log, texts);
    await expect.poll(() => texts, poll).toEqual(['here']);
    await expect.poll(async () => (await log.measure()).segments, poll).toBe(0);
  });

  test('what was recorded is deleted from the topic, and nothing else', async () => {
    const topic = makeName();
    const log = await open(topic);
    await Promise.all(Array.from({ length: 40 }, (_, no) => log.append(Buffer.from(String(no)))));
    const texts: string[] = [];
    const consumption = await take(log, texts);
    await expect.poll(async () => (await log.measure()).segments, poll).toBe(0);
    await consumption.stop();
    await log.append(Buffer.from('unread'));
    await log.close();
    const partitions = Array.from({ length: 12 }, (_, partitionIndex) => partitionIndex);
    const sumAt = async (timestamp: bigint): Promise<bigint> => {
      const wanted = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
      const listed = await openAdmin().listOffsets({ topics: [{ name: topic, partitions: wanted }] });
      return listed.flatMap((each) => each.partitions).reduce((sum, { offset }) => sum + offset, 0n);
    };
    expect([await sumAt(ListOffsetTimestamps.EARLIEST), await sumAt(ListOffsetTimestamps.LATEST)]).toEqual([40n, 41n]);
  });
});

test('a broker that hangs: the outcome is unknown, then appends are refused at once, and all goes on', async () => {
  const log = await open(makeName());
  const texts: string[] = [];
  await take(log, texts);
  await log.append(Buffer.from('before'));
  const pid = broker.pid();
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  await expect(log.append(Buffer.from('hangs'))).rejects.toMatchObject({ recorded: 'unknown' });
  await expect.poll(() => log.awayMs(), poll).toBeGreaterThan(0);
  await expect(log.append(Buffer.from('refused'))).rejects.toMatchObject({ recorded: 'no' });
  process.kill(pid, 'SIGCONT');
  await expect.poll(() => log.awayMs(), poll).toBe(0);
  await log.append(Buffer.from('after'));
  await expect.poll(() => texts.includes('before') && texts.includes('after'), poll).toBe(true);
  expect(texts).not.toContain('refused');
});
