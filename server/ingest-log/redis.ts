/**
 * Segments on a Redis stream with one consumer group.
 *
 * An entry stays pending until its consumer has acknowledged it; the entries of a consumer that died are claimed by the others. The stream is
 * never capped by its length, which would drop what was acknowledged: it is trimmed below the oldest entry that somebody still
 * has to record.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientClosedError, ClientOfflineError, ErrorReply } from '@redis/client';
import { createAbsence } from '../lib/absence.ts';
import { connectToRedis, type RedisClient } from '../lib/redis-client.ts';
import type { Secret } from '../lib/secret.ts';
import { startRedisConsumer } from './redis-consumer.ts';
import { createRedisDeadLetters } from './redis-dead-letters.ts';
import { createRedisStream, groupName, toConsumerName } from './redis-stream.ts';
import { AppendFailed, appendMsMax, type SegmentLog, type SegmentLogOptions } from './segment-log.ts';

export type RedisLogOptions = SegmentLogOptions & {
  readonly url: Secret;
  /** An entry that its consumer has not acknowledged for so long is given to another one. */
  readonly claimMs?: number;
};

/** Longer than a batch takes, shorter than anybody waits for a result. */
const claimMsDefault = 10_000;
const field = 's';

/** @throws {Error} one line, where Redis does not answer */
export async function createRedisSegmentLog(options: RedisLogOptions): Promise<SegmentLog> {
  const { url, queueName: key, log, claimMs = claimMsDefault } = options;
  const absence = createAbsence();
  const client = await connectToRedis(url, { absence, log });
  const readers = new Set<RedisClient>();
  const stream = createRedisStream(client, key);
  await stream.ensureGroup();

  return {
    name: 'redis',
    // One is on its way to the disk, the next waits in the socket.
    appendsMax: 2,
    countsInHand: true,
    checkDurability: () => checkDurability(client),
    async append(segment) {
      await appendEntry(client, key, { [field]: segment });
    },
    async consume(onDelivery, deliveriesMax) {
      const reader = await connectToRedis(url, { absence, log, name: toConsumerName(key) });
      readers.add(reader);
      return startRedisConsumer({ stream, reader, claimMs, onDelivery, deliveriesMax, log });
    },
    async measure() {
      const [groups, length, workers] = await Promise.all([
        client.xInfoGroups(key),
        client.xLen(key),
        stream.countConsumers(),
      ]);
      const group = groups.find(({ name }) => name === groupName);
      if (group === undefined) return { segments: length, consumers: 0 };
      // Where entries were taken out of the middle, Redis cannot tell how many were not read yet.
      const unread = (group.lag as number | null) ?? length; // The types leave out that it may be null.
      return { segments: Math.min(length, unread + group.pending), consumers: workers };
    },
    dead: createRedisDeadLetters(client, {
      key,
      append: (to, fields) => appendEntry(client, to, fields),
      toFields: (segment) => ({ [field]: segment }),
    }),
    awayMs: absence.ms,
    close() {
      for (const each of [client, ...readers]) each.destroy();
      return Promise.resolve();
    },
  };
}

/** @throws {AppendFailed} */
async function appendEntry(client: RedisClient, key: string, fields: Record<string, Buffer | string>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new AppendFailed('ingest_log_unavailable', 'unknown', new Error('Redis did not answer in time.')));
  }, appendMsMax).unref();
  try {
    await Promise.race([client.xAdd(key, '*', fields), late.promise]);
  } catch (error) {
    throw error instanceof AppendFailed ? error : toAppendFailed(error);
  } finally {
    clearTimeout(timer);
  }
}

function toAppendFailed(error: unknown): AppendFailed {
  // Redis itself says that it did not do it: out of memory, or it cannot write to its disk.
  if (error instanceof ErrorReply) {
    const isFull = /^(?:OOM|MISCONF)/u.test(error.message);
    return new AppendFailed(isFull ? 'ingest_log_full' : 'ingest_log_unavailable', 'no', error);
  }
  const neverLeft = error instanceof ClientOfflineError || error instanceof ClientClosedError;
  return new AppendFailed('ingest_log_unavailable', neverLeft ? 'no' : 'unknown', error);
}

/** For 64 MB it takes about a second. */
const firstFileMsMax = 10_000;
const firstFileLookMs = 50;

const weakSettings: readonly (readonly [name: string, wanted: string, risk: string])[] = [
  ['appendonly', 'yes', 'keeps nothing on its disk'],
  ['appendfsync', 'always', 'may lose its last second in a power cut'],
  ['no-appendfsync-on-rewrite', 'no', 'may lose minutes in a power cut while it rewrites its file'],
  ['maxmemory-policy', 'noeviction', 'may evict ballots'],
];

async function checkDurability(client: RedisClient): Promise<void> {
  const names = weakSettings.map(([name]) => name);
  const settings = await client.configGet(names).catch((error: unknown) => {
    throw new Error(
      `Redis does not tell its settings (${toReason(error)}), so nobody knows whether it keeps acknowledged ballots. ` +
        'Allow CONFIG GET there, or start with --durability process.',
    );
  });
  const weak = weakSettings.filter(([name, wanted]) => settings[name] !== undefined && settings[name] !== wanted);
  if (weak.length === 0) return untilFirstFile(client);
  // All of them at once: nobody wants to start again for each.
  const faults = weak.map(([name, , risk]) => `${name} = ${settings[name]}, so it ${risk}`);
  const remedies = weak.map(([name, wanted]) => `"redis-cli config set ${name} ${wanted}"`);
  throw new Error(
    `Redis has ${faults.join('; ')}. Run ${remedies.join(' and ')} there and put ${weak.length === 1 ? 'it' : 'them'} into ` +
      'redis.conf, or start with --durability process.',
  );
}

/**
 * Switched on while it runs, Redis 7 keeps nothing until it has written a first file with all that it holds. It does not tell that from an
 * ordinary rewrite, during which all is kept, but for the size of the file before; and one that tells nothing is believed.
 */
async function untilFirstFile(client: RedisClient): Promise<void> {
  const until = performance.now() + firstFileMsMax;
  for (;;) {
    const facts = await client.info('persistence').catch(() => '');
    if (!/^aof_rewrite_(?:in_progress|scheduled):1\r?$/mu.test(facts)) return;
    if (performance.now() > until) {
      if (!/^aof_base_size:0\r?$/mu.test(facts)) return;
      throw new Error(
        'Redis is still writing its first append-only file, and keeps nothing before that. Try again later.',
      );
    }
    await sleep(firstFileLookMs);
  }
}

function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
