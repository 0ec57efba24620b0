/**
 * Writes messages of so many bytes to a broker, by its client library alone or by our adapter around it, to the same stream, queue or topic and
 * acknowledged as strictly. Takes its order as JSON in the first argument and prints one line of JSON.
 */
import { randomBytes } from 'node:crypto';
import { Admin, ProduceAcks, Producer } from '@platformatic/kafka';
import { createClient } from '@redis/client';
import { Connection } from 'rabbitmq-client';
import pino from 'pino';
import { Secret } from '../server/lib/secret.ts';
import { openSegmentLog, type BrokerChoice } from '../server/open-log.ts';

export type BrokerName = 'redis' | 'rabbitmq' | 'kafka';

export type BareOrder = {
  readonly broker: BrokerName;
  readonly url: string;
  readonly writer: 'client' | 'adapter';
  readonly messageBytes: number;
  /** Messages under way. */
  readonly inFlight: number;
  readonly seconds: number;
};

export type BareResult = { readonly messages: number; readonly perSecond: number };

type Bare = {
  /** Resolves when the broker has them durably. */
  send(messages: readonly Buffer[]): Promise<void>;
  /** Takes away all that was made for the measurement. */
  clear(): Promise<void>;
};

const noBytes = Buffer.alloc(0);
const kafkaProducers = 4;
const place = `bench-${randomBytes(6).toString('hex')}`;

async function openRedis(url: string): Promise<Bare> {
  const client = await createClient({ url }).connect();
  return {
    async send(messages) {
      await Promise.all(messages.map((s) => client.xAdd(place, '*', { s })));
    },
    async clear() {
      await client.del(place);
      client.destroy();
    },
  };
}

async function openRabbitmq(url: string): Promise<Bare> {
  const connection = new Connection(url);
  const publisher = connection.createPublisher({ confirm: true });
  const envelope = { routingKey: place, durable: true, mandatory: true };
  return {
    async send(messages) {
      await Promise.all(messages.map((bytes) => publisher.send(envelope, bytes)));
    },
    async clear() {
      await publisher.close();
      for (const queue of [place, `${place}_dlq`]) await connection.queueDelete({ queue });
      await connection.exchangeDelete({ exchange: `${place}_dlx` });
      await connection.close();
    },
  };
}

/**
 * Four producers, because one with four sends under way was hardly faster than with one: 73 and 55 segments of 57 kB a second, and 228 with
 * four producers (2026-11-21, one try of two seconds each, on a busy machine). Single votes go as many as there are in one send.
 */
async function openKafka(brokers: string): Promise<Bare> {
  const address = { clientId: 'bench', bootstrapBrokers: brokers.split(',') };
  const producers = Array.from({ length: kafkaProducers }, () => new Producer({ ...address, acks: ProduceAcks.ALL }));
  let turn = 0;
  return {
    async send(messages) {
      turn += 1;
      const producer = producers[turn % kafkaProducers];
      await producer?.send({ messages: messages.map((value) => ({ topic: place, value })) });
    },
    async clear() {
      await Promise.all(producers.map((producer) => producer.close()));
      const admin = new Admin(address);
      await admin.deleteTopics({ topics: [place, `${place}.dead`] });
      await admin.close();
    },
  };
}

const openers = { redis: openRedis, rabbitmq: openRabbitmq, kafka: openKafka };

async function run(order: BareOrder): Promise<BareResult> {
  const { broker, url, messageBytes, inFlight, seconds } = order;
  // It makes the stream, queue or topic.
  const adapter = await openSegmentLog(toChoice(order), { durability: 'strict' }, pino({ level: 'silent' }));
  const client = await openers[broker](url);
  const isBare = order.writer === 'client';
  const send = isBare ? client.send : ([message]: readonly Buffer[]) => adapter.append(message ?? noBytes);
  // What Kafka's client is given at once it sends at once; the others do so by themselves.
  const together = broker === 'kafka' && isBare ? Math.max(1, Math.floor(inFlight / kafkaProducers)) : 1;
  const messages = Array.from({ length: together }, () => randomBytes(messageBytes));
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let count = 0;
  const sendInTurn = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await send(messages);
      count += together;
    }
  };
  await Promise.all(Array.from({ length: Math.ceil(inFlight / together) }, sendInTurn));
  const took = (performance.now() - startedAt) / 1_000;
  await adapter.close();
  await client.clear();
  return { messages: count, perSecond: count / took };
}

function toChoice({ broker, url }: BareOrder): BrokerChoice {
  if (broker === 'redis') return { name: broker, url: new Secret(url, url), stream: place };
  if (broker === 'rabbitmq') return { name: broker, url: new Secret(url, url), queueName: place };
  const security = { tls: null, sasl: null };
  return { name: broker, brokers: url.split(','), topic: place, clientId: 'bench', groupId: place, security };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as BareOrder))); // Our own parent wrote it.
