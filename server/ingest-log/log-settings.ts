/** The settings about the log between accepting a ballot and counting it. */
import { amqpUrl, boolean, choice, count, host, optional, redisUrl, shortText } from '../lib/setting-kinds.ts';
import { Secret } from '../lib/secret.ts';
import { group, SettingError, type ValuesOf } from '../lib/setting-table.ts';
import { kafkaSettings, toKafkaChoice, type KafkaChoice } from './kafka-settings.ts';

export const logSettings = {
  ...group('Between accepting and counting', {
    queue: {
      flag: 'queue',
      env: 'HUSTINGS_QUEUE',
      kind: choice(['direct', 'redis', 'rabbitmq', 'kafka']),
      default: 'direct',
      doc: 'What carries ballots to those who count them. With `direct` the server counts a ballot before it answers. With a broker it answers 202 as soon as that has the ballot durably, and any number of workers (`hustings worker`) count.',
    },
    worker: {
      flag: 'worker',
      env: 'HUSTINGS_WORKER',
      kind: boolean,
      default: true,
      doc: 'Whether the server also counts what comes out of the broker. Set it to false where workers of their own do.',
    },
    segmentsWaitingMax: {
      flag: 'segments-waiting-max',
      env: 'HUSTINGS_SEGMENTS_WAITING_MAX',
      kind: count({ unit: 'segments', min: 1, max: 100_000_000 }),
      default: 1_000_000,
      doc: 'How many segments of up to 1,000 ballots may wait in the broker for a worker. Beyond it ballots are refused with 503 and `Retry-After`.',
    },
  }),

  ...group('Redis', {
    redisUrl: {
      env: 'REDIS_URL',
      kind: optional(redisUrl),
      default: undefined,
      otherwise: 'no Redis',
      example: 'redis://localhost:6379',
      doc: 'The Redis for `--queue redis` and `--bus redis`, in which all servers count together what is limited by the minute. The preset `election` keeps its results there for a while. Where it is not set, `REDIS_CLUSTER` or the first of `REDIS_NODES` serves for all of this but the queue.',
    },
    redisHost: {
      env: 'REDIS_HOST',
      kind: optional(host),
      default: undefined,
      otherwise: 'no Redis',
      example: 'localhost',
      doc: 'The host of the same, with port 6379. `REDIS_URL` wins over it.',
    },
    redisStream: {
      env: 'REDIS_STREAM',
      kind: shortText,
      default: 'votes',
      doc: 'The key of the stream that carries ballots. What could not be counted is beside it under the same name with `:dead`.',
    },
  }),

  ...group('RabbitMQ', {
    rabbitmqUrl: {
      env: 'RABBITMQ_URL',
      kind: optional(amqpUrl),
      default: undefined,
      otherwise: 'no RabbitMQ',
      example: 'amqp://guest:guest@localhost:5672',
      doc: 'The broker for `--queue rabbitmq`.',
    },
    rabbitmqQueueName: {
      env: 'RABBITMQ_QUEUE_NAME',
      kind: shortText,
      default: 'vote_queue',
      doc: 'The quorum queue that carries ballots. What could not be counted goes to `vote_dlq` (for another name, to that name with `_dlq`).',
    },
  }),

  ...kafkaSettings,
};

export type LogSettings = ValuesOf<typeof logSettings>;

/** Which log carries the ballots, and where it is. */
export type LogChoice =
  | { readonly name: 'direct' }
  | { readonly name: 'redis'; readonly url: Secret; readonly stream: string }
  | { readonly name: 'rabbitmq'; readonly url: Secret; readonly queueName: string }
  | KafkaChoice;

/** The broker that a contract names is used where it is there and nothing else is asked for. */
const brokersOfPresets: Readonly<Record<string, LogChoice['name']>> = {
  duel: 'redis',
  election: 'rabbitmq',
  party: 'kafka',
};

/** @throws {SettingError} where the broker that is asked for has no address, or ways to reach it that contradict each other */
export function toLogChoice(values: LogSettings, { preset, isGiven }: { preset: string; isGiven: boolean }): LogChoice {
  const url = toRedisUrl(values);
  const addresses = { direct: true, redis: url, rabbitmq: values.rabbitmqUrl, kafka: values.kafkaBrokers };
  const usual = brokersOfPresets[preset] ?? 'direct';
  const name = isGiven || addresses[usual] === undefined ? values.queue : usual;
  switch (name) {
    case 'direct':
      return { name };
    case 'redis':
      if (url === undefined) throw new SettingError('--queue redis needs REDIS_URL or REDIS_HOST.');
      return { name, url, stream: values.redisStream };
    case 'rabbitmq':
      if (values.rabbitmqUrl === undefined) throw new SettingError('--queue rabbitmq needs RABBITMQ_URL.');
      return { name, url: values.rabbitmqUrl, queueName: values.rabbitmqQueueName };
    case 'kafka':
      return toKafkaChoice(values);
  }
}

export function toRedisUrl({
  redisUrl: url,
  redisHost,
}: Pick<LogSettings, 'redisUrl' | 'redisHost'>): Secret | undefined {
  if (url !== undefined || redisHost === undefined) return url;
  const text = `redis://${redisHost.includes(':') ? `[${redisHost}]` : redisHost}:6379`;
  return new Secret(text, text);
}
