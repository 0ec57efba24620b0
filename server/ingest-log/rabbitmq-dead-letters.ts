/** Dead letters in a queue of their own behind the dead-letter exchange. */
import type { Channel, SyncMessage } from 'rabbitmq-client';
import { createUuidV7Source } from '../lib/uuid-v7.ts';
import { withinAnswerMs, type RabbitmqConnection } from './rabbitmq-connection.ts';
import { toBytes } from './rabbitmq-consumer.ts';
import type { RabbitmqPublisher } from './rabbitmq-publisher.ts';
import type { QueueCounts, RabbitmqNames } from './rabbitmq-topology.ts';
import type { DeadLetter, DeadLetters } from './segment-log.ts';

export type DeadLetterParts = {
  readonly publisher: RabbitmqPublisher;
  readonly reading: RabbitmqConnection;
  readonly names: RabbitmqNames;
  readonly count: (queue: string) => Promise<QueueCounts>;
  readonly append: (segment: Buffer) => Promise<void>;
};

/**
 * RabbitMQ has no way to look at a message without taking it. So whoever lists or replays takes the letters and puts them back, and
 * meanwhile others, and `count`, do not see them.
 */
export function createRabbitmqDeadLetters(parts: DeadLetterParts): DeadLetters {
  const { publisher, reading, names } = parts;
  const makeId = createUuidV7Source(Date.now);
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other, because two at a time would not see each other's letters. */
  function inTurn<Answer>(job: (channel: Channel) => Promise<Answer>): Promise<Answer> {
    const answer = last.then(() => reading.withChannel(job));
    last = answer.catch(() => undefined);
    return answer;
  }

  const countLetters = async () => (await parts.count(names.deadQueue)).messages;
  const takeNext = (channel: Channel) => withinAnswerMs(channel.basicGet({ queue: names.deadQueue, noAck: false }));

  return {
    bury: (bytes, reason) =>
      publisher.publish(
        {
          exchange: names.deadExchange,
          routingKey: names.queue,
          headers: { reason, 'died-at': Date.now(), 'letter-id': makeId().toString('hex') },
        },
        bytes,
      ),
    count: countLetters,
    list: (limit) =>
      inTurn(async (channel) => {
        const taken: DeadLetter[] = [];
        // What was put back before comes first, but in no order. Only when all of that is in hand are the oldest among it.
        let wasPutBack = false;
        while (limit > 0 && (taken.length < limit || wasPutBack)) {
          const message = await takeNext(channel);
          if (message === undefined) break;
          taken.push(toDeadLetter(message));
          wasPutBack = message.redelivered;
        }
        taken.sort(compareAge);
        return taken.slice(0, limit);
      }),
    replay: () =>
      inTurn(async (channel) => {
        const letterCount = await countLetters();
        for (let index = 0; index < letterCount; index += 1) {
          const message = await takeNext(channel);
          if (message === undefined) return index;
          await parts.append(toBytes(message.body));
          channel.basicAck({ deliveryTag: message.deliveryTag });
        }
        return letterCount;
      }),
  };
}

/** Ids that one process made grow with time. */
function compareAge(a: DeadLetter, b: DeadLetter): number {
  return a.diedAt - b.diedAt || Number(a.id > b.id) - Number(a.id < b.id);
}

/** The broker itself buries, without our headers, what somebody has rejected by hand. Then its own header tells. */
function toDeadLetter(message: SyncMessage): DeadLetter {
  const headers: Readonly<Record<string, unknown>> = message.headers ?? {};
  const secondsOfSender = message.timestamp ?? 0;
  return {
    id: toText(headers['letter-id']) ?? message.messageId ?? String(message.deliveryTag),
    bytes: toBytes(message.body),
    reason: toText(headers['reason']) ?? toText(headers['x-first-death-reason']) ?? 'unknown',
    diedAt: Number(headers['died-at'] ?? secondsOfSender * 1_000),
  };
}

function toText(header: unknown): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
