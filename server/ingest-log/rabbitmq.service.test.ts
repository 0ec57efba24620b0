import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Connection } from 'rabbitmq-client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { startRabbitmq, type RabbitmqService } from '../../scripts/services/rabbitmq.ts';
import { describeSegmentLog } from '../../test/support/describe-segment-log.ts';
import {
  appendAll,
  appendOnce,
  makeSegment,
  makeSegments,
  nameOf,
  namesOf,
  Taker,
} from '../../test/support/segment-log-samples.ts';
import { Secret } from '../lib/secret.ts';
import { createRabbitmqSegmentLog } from './rabbitmq.ts';
import type { SegmentLog } from './segment-log.ts';

const poll = { timeout: 60_000, interval: 20 };
let folder: string;
let broker: RabbitmqService;
let queueCount = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hustings-rabbitmq-'));
  broker = await startRabbitmq(folder);
});

afterAll(async () => {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
});

describeSegmentLog('rabbitmq', () => broker);

function makeQueueName(): string {
  queueCount += 1;
  return `queue_${queueCount}`;
}

/** What is logged as warning or information, as `event {facts}`. */
function keepLines() {
  const lines: string[] = [];
  const keep = (facts: object, event: string) => void lines.push(`${event} ${JSON.stringify(facts)}`);
  return { lines, log: { debug: () => undefined, info: keep, warn: keep, error: keep } };
}

async function open(queueName = makeQueueName(), { log } = keepLines()): Promise<SegmentLog> {
  const opened = await createRabbitmqSegmentLog({ url: new Secret(broker.url), queueName, log });
  onTestFinished(() => opened.close());
  return opened;
}

/** All that is in the log, taken out of it. */
async function takeAll(log: SegmentLog, count: number): Promise<string[]> {
  const taker = await new Taker(true).start(log);
  await expect.poll(() => taker.names.length, poll).toBeGreaterThanOrEqual(count);
  await expect.poll(async () => (await log.measure()).segments, poll).toBe(0);
  await taker.stop();
  return taker.names.sort();
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message : 'no error';
}

test('the queues and the exchange have the names of the contract', async () => {
  await open('vote_queue');
  const queues = await broker.control('-q', 'list_queues', 'name', 'type', 'durable');
  expect(queues).toMatch(/^vote_queue\tquorum\ttrue$/mu);
  expect(queues).toMatch(/^vote_dlq\tquorum\ttrue$/mu);
  expect(await broker.control('-q', 'list_bindings', 'source_name', 'destination_name')).toMatch(
    /^vote_dlx\tvote_dlq$/mu,
  );
  expect(await broker.control('-q', 'list_queues', 'name', 'arguments')).toMatch(
    /^vote_queue\t.*"x-dead-letter-exchange","vote_dlx"/mu,
  );
});

test('a queue of this name that is not a quorum queue is refused in one line that names it', async () => {
  const queueName = makeQueueName();
  const connection = new Connection(broker.url);
  await connection.queueDeclare({ queue: queueName, durable: true });
  await connection.close();
  const message = await messageOf(open(queueName));
  expect(message).toContain(`RabbitMQ has a queue '${queueName}' with other properties`);
  expect(message).toContain('Delete it once it is empty, or name another queue with RABBITMQ_QUEUE_NAME.');
  expect(message).not.toContain('\n');
});

test('a queue that was replaced by a weaker one is found by the check of durability', async () => {
  const queueName = makeQueueName();
  const log = await open(queueName);
  const connection = new Connection(broker.url);
  await connection.queueDelete(queueName);
  await connection.queueDeclare({ queue: queueName, durable: false });
  await connection.close();
  expect(await messageOf(log.checkDurability())).toContain(`queue '${queueName}' with other properties`);
});

test('a broker that is not there, or refuses the user, is named in one line without the password', async () => {
  const { lines, log } = keepLines();
  const host = `127.0.0.1:${await findFreePort()}`;
  const create = (url: string) => createRabbitmqSegmentLog({ url, queueName: 'q', log });
  const absent = await messageOf(create(`amqp://someone:hidden@${host}`));
  expect(absent).toBe(
    `RabbitMQ at ${host} cannot be used: connect ECONNREFUSED ${host}. Start it, or correct RABBITMQ_URL.`,
  );
  const refused = await messageOf(create(broker.url.replace('guest:guest', 'guest:hidden')));
  expect(refused).toContain('Correct the user and the password in RABBITMQ_URL.');
  const malformed = await messageOf(create('amqp://someone:hidden@:bad:'));
  expect(malformed).toBe('RABBITMQ_URL is not an address such as amqp://user:password@host:5672.');
  expect(lines).toEqual([]);
  expect([absent, refused, malformed].join(' ')).not.toMatch(/hidden|\n/u);
});

test('while the broker has no memory left it takes nothing, and workers go on', async () => {
  const kept = keepLines();
  const log = await open(makeQueueName(), kept);
  const before = makeSegments(10);
  await appendAll(log, before);
  onTestFinished(async () => void (await broker.control('set_vm_memory_high_watermark', '0.4')));
  await broker.control('set_vm_memory_high_watermark', '0');
  // The broker tells only who publishes; the first segment stays with it unanswered, as its failure says.
  const first = makeSegment();
  expect(await appendOnce(log, first)).toMatchObject({ recorded: 'unknown' });
  for (const segment of makeSegments(3)) {
    expect(await appendOnce(log, segment)).toMatchObject({ code: 'ingest_log_full', recorded: 'no' });
  }
  expect(await takeAll(log, before.length)).toEqual(namesOf(before));
  await broker.control('set_vm_memory_high_watermark', '0.4');
  const after = makeSegment();
  await expect.poll(() => appendOnce(log, after), poll).toBeUndefined();
  const rest = await takeAll(log, 1);
  expect(rest.filter((each) => each !== nameOf(first))).toEqual([nameOf(after)]);
  expect(kept.lines.map((line) => line.replace(/ \{.*/u, ''))).toEqual([
    'rabbitmq takes nothing',
    'rabbitmq takes segments again',
  ]);
});

test('a queue that an administrator has limited refuses what is too much, and drops nothing', async () => {
  const queueName = makeQueueName();
  const log = await open(queueName);
  onTestFinished(async () => void (await broker.control('clear_policy', queueName)));
  await broker.control('set_policy', '--apply-to', 'queues', queueName, `^${queueName}$`, '{"max-length":5}');
  const acknowledged: Buffer[] = [];
  const sendOne = async () => {
    const segment = makeSegment();
    const failure = await appendOnce(log, segment);
    if (failure === undefined) acknowledged.push(segment);
    return failure;
  };
  await expect.poll(sendOne, poll).toMatchObject({ code: 'ingest_log_full', recorded: 'no' });
  for (let count = 0; count < 20; count += 1) await sendOne();
  expect(await takeAll(log, acknowledged.length)).toEqual(namesOf(acknowledged));
});

test('a queue that is deleted under way is made again; what found none is said not to be recorded', async () => {
  const queueName = makeQueueName();
  const log = await open(queueName);
  const taker = await new Taker(true).start(log);
  await broker.control('delete_queue', queueName);
  expect(await appendOnce(log, makeSegment())).toMatchObject({ code: 'ingest_log_unavailable', recorded: 'no' });
  const after = makeSegment();
  await expect.poll(() => appendOnce(log, after), poll).toBeUndefined();
  await expect.poll(() => taker.names, poll).toEqual([nameOf(after)]);
});

test('a broker that no longer answers is noticed by one append, and the next are refused at once', async () => {
  const log = await open();
  process.kill(broker.pid(), 'SIGSTOP');
  onTestFinished(() => void process.kill(broker.pid(), 'SIGCONT'));
  const first = makeSegment();
  expect(await appendOnce(log, first)).toMatchObject({ code: 'ingest_log_unavailable', recorded: 'unknown' });
  for (const segment of makeSegments(100)) {
    expect(await appendOnce(log, segment)).toMatchObject({ code: 'ingest_log_unavailable', recorded: 'no' });
  }
  expect(log.awayMs()).toBeGreaterThan(0);
  process.kill(broker.pid(), 'SIGCONT');
  const after = makeSegment();
  await expect.poll(() => appendOnce(log, after), poll).toBeUndefined();
  await expect.poll(() => log.awayMs(), poll).toBe(0);
  const rest = await takeAll(log, 1);
  expect(rest.filter((each) => each !== nameOf(first))).toEqual([nameOf(after)]);
});

test('many acknowledgements just before the stop reach the broker', async () => {
  const queueName = makeQueueName();
  const log = await open(queueName);
  const segments = makeSegments(2_000);
  await appendAll(log, segments);
  const taker = await new Taker(false).start(log, segments.length);
  await expect.poll(() => taker.waiting.length, poll).toBe(segments.length);
  for (const delivery of taker.waiting.reverse()) delivery.acknowledge();
  await taker.stop();
  await expect.poll(() => log.measure(), poll).toEqual({ segments: 0, consumers: 0 });
  const last = makeSegment();
  await log.append(last);
  expect(await takeAll(log, 1)).toEqual([nameOf(last)]);
});

test('a broker that goes and comes back is logged once for each connection, however often it was tried', async () => {
  const kept = keepLines();
  const log = await open(makeQueueName(), kept);
  await new Taker(true).start(log);
  await broker.kill();
  await expect.poll(() => log.awayMs(), poll).toBeGreaterThan(2_000);
  await broker.restart();
  await expect.poll(() => appendOnce(log, makeSegment()), poll).toBeUndefined();
  await expect.poll(() => kept.lines.length, poll).toBe(4);
  expect(kept.lines.map((line) => line.replace(/,"reason".*/u, '')).sort()).toEqual([
    'rabbitmq back {"connection":"publishing"}',
    'rabbitmq back {"connection":"reading"}',
    'rabbitmq lost {"connection":"publishing"',
    'rabbitmq lost {"connection":"reading"',
  ]);
});
