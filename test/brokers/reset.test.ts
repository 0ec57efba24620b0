/** RabbitMQ is not here: a quorum queue forgets what was acknowledged, and has no place to go back to. */
import { randomBytes } from 'node:crypto';
import { createClient } from '@redis/client';
import { Admin } from '@platformatic/kafka';
import pino from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createRedisSegmentLog } from '../../server/ingest-log/redis.ts';
import { groupName } from '../../server/ingest-log/redis-stream.ts';
import type { SegmentLog } from '../../server/ingest-log/segment-log.ts';
import { Secret } from '../../server/lib/secret.ts';
import { createRandom, pickSeed } from '../crash/random.ts';
import { segmentLogs } from '../support/segment-logs.ts';
import { drawCasts, toSegments } from './casts.ts';
import { openRecording, type Recording } from './recording.ts';

type Resettable = {
  readonly segments: SegmentLog;
  /** Called when the log has its segments and nobody has recorded any. Answers how many of them it has taken away from the workers. */
  prepare(): Promise<number>;
  /** Sets the group of the workers back to the first segment. Nobody consumes meanwhile. */
  reset(): Promise<unknown>;
};

const castCount = 400;
const waitMsMax = 60_000;
const silent = pino({ level: 'silent' });

test.for([
  ['redis', openRedis],
  ['kafka', openKafka],
] as const)('a consumer group of %s that is reset to the beginning leaves the ledger as it is', async ([, open]) => {
  const { segments, prepare, reset } = await open(`reset-${randomBytes(6).toString('hex')}`);
  onTestFinished(segments.close);
  const recording = await openRecording();
  const casts = drawCasts(castCount, createRandom(pickSeed()));
  const appended = await toSegments(recording, casts, Date.now() * 1_000);
  // The first is there twice: whoever has it in hand meanwhile, its ballots are recorded.
  const all = [...appended.slice(0, 1), ...appended];
  for (const bytes of all) await segments.append(bytes);
  const heldCount = await prepare();
  await recordUntil(recording, segments, all.length - heldCount);
  const before = await recording.readState();
  expect(before.ballots.length).toBeGreaterThan(castCount / 4);
  await reset();
  await recordUntil(recording, segments, all.length);
  expect(await recording.readState()).toEqual(before);
});

/** A worker takes so many segments, finishes them and stops. */
async function recordUntil(recording: Recording, segments: SegmentLog, count: number): Promise<void> {
  let taken = 0;
  const worker = await recording.startWorker({
    ...segments,
    consume: (onDelivery, deliveriesMax) =>
      segments.consume((delivery) => {
        taken += 1;
        onDelivery(delivery);
      }, deliveriesMax),
  });
  await expect
    .poll(() => taken >= count && worker.inHandCount() === 0, { timeout: waitMsMax, interval: 10 })
    .toBe(true);
  await worker.stop();
}

/** The stream is trimmed up to what somebody has in hand, so somebody has the first entry in hand all the time. */
async function openRedis(queueName: string): Promise<Resettable> {
  const url = inject('redisUrls')[0] ?? '';
  const claimMs = 10 * waitMsMax;
  const segments = await createRedisSegmentLog({ url: new Secret(url, url), queueName, log: silent, claimMs });
  const client = createClient({ url });
  await client.connect();
  onTestFinished(() => client.destroy());
  return {
    segments,
    async prepare() {
      await client.xReadGroup(groupName, 'somebody', { key: queueName, id: '>' }, { COUNT: 1 });
      return 1;
    },
    reset: () => client.xGroupSetId(queueName, groupName, '0'),
  };
}

async function openKafka(queueName: string): Promise<Resettable> {
  const url = inject('kafkaBrokers');
  const segments = await segmentLogs.kafka({ url, queueName, log: silent });
  const admin = new Admin({ clientId: 'reset', bootstrapBrokers: url.split(',') });
  onTestFinished(() => admin.close());
  // A group without a committed place begins at the first record. Its name is that of the queue.
  return { segments, prepare: () => Promise.resolve(0), reset: () => admin.deleteGroups({ groups: [queueName] }) };
}
