/** What a segment log has at RabbitMQ. Servers and workers declare the same, so that nothing depends on who comes first. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Channel } from 'rabbitmq-client';
import { isCode, toReason, withinAnswerMs, type RabbitmqConnection } from './rabbitmq-connection.ts';

export type RabbitmqNames = {
  readonly queue: string;
  /** Whatever is published to it goes to the queue of dead letters. */
  readonly deadExchange: string;
  readonly deadQueue: string;
};

export type QueueCounts = { readonly messages: number; readonly consumers: number };

/** The contract `election` gives the default queue's dead letters names of their own. */
const defaultQueueName = 'vote_queue';

/**
 * More often than this no segment is handed out. RabbitMQ 4 gives a quorum queue a limit of 20 where none is set, and discards a message
 * whose consumers were lost more often; RabbitMQ 3 knows no value for "no limit". So the limit is one that is never reached.
 */
const deliveriesMax = 1_000_000_000;

/**
 * How long nothing is appended to a queue that was made just now. RabbitMQ before 3.13.3 writes the name of a new quorum queue to its disk
 * up to a second later, and a node that is killed before has forgotten all that it confirmed in that queue (rabbitmq/ra#443).
 * Measured on 2026-11-21 with RabbitMQ 3.10.8: killed up to 1.0 s after the declaration it lost a confirmed message, from 1.2 s on it did not.
 */
const newQueueMs = 2_000;

export function toRabbitmqNames(queue: string): RabbitmqNames {
  const stem = queue === defaultQueueName ? 'vote' : queue;
  return { queue, deadExchange: `${stem}_dlx`, deadQueue: `${stem}_dlq` };
}

/** Makes what is missing. @throws {Error} one line: what exists with other properties, and the remedy */
export async function ensureTopology(connection: RabbitmqConnection, names: RabbitmqNames): Promise<void> {
  const isNew = !((await hasQueue(connection, names.queue)) && (await hasQueue(connection, names.deadQueue)));
  try {
    await connection.withChannel((channel) => declareTopology(channel, names));
  } catch (error) {
    throw new Error(toTopologyFault(names, error), { cause: error });
  }
  if (isNew) await pause(newQueueMs);
}

/**
 * What waits and has not been handed out, and to how many consumers it would be. Changes nothing. For a moment after a restart of the broker
 * the queue is still read from the disk and counts as empty.
 */
export async function countQueue(channel: Channel, queue: string): Promise<QueueCounts> {
  const { messageCount, consumerCount } = await withinAnswerMs(channel.queueDeclare({ queue, passive: true }));
  return { messages: messageCount, consumers: consumerCount };
}

async function hasQueue(connection: RabbitmqConnection, queue: string): Promise<boolean> {
  try {
    await connection.withChannel((channel) => countQueue(channel, queue));
    return true;
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

/**
 * What exists with other properties is an error of the broker, which closes the channel. A quorum queue is durable by its kind: it confirms
 * after the disks of most of its members have the message. Where an administrator limits its length, it refuses (`reject-publish`)
 * instead of dropping its oldest.
 */
async function declareTopology(channel: Channel, { queue, deadExchange, deadQueue }: RabbitmqNames): Promise<void> {
  const kept = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish', 'x-delivery-limit': deliveriesMax } as const;
  const steps = [
    () => channel.exchangeDeclare({ exchange: deadExchange, type: 'fanout', durable: true }),
    () => channel.queueDeclare({ queue: deadQueue, durable: true, arguments: kept }),
    () => channel.queueBind({ queue: deadQueue, exchange: deadExchange, routingKey: '' }),
    () =>
      channel.queueDeclare({ queue, durable: true, arguments: { ...kept, 'x-dead-letter-exchange': deadExchange } }),
  ];
  for (const step of steps) await withinAnswerMs<unknown>(step());
}

function toTopologyFault({ queue }: RabbitmqNames, error: unknown): string {
  const reason = toReason(error).replace(/^\w+: \w+ - /u, '');
  if (!isCode(error, 'PRECONDITION_FAILED')) return `RabbitMQ did not declare the queue '${queue}': ${reason}.`;
  const [which = `queue '${queue}'`] = /(?:queue|exchange) '[^']*'/u.exec(reason) ?? [];
  return (
    `RabbitMQ has a ${which} with other properties than a durable log needs: ${reason}. ` +
    'Delete it once it is empty, or name another queue with RABBITMQ_QUEUE_NAME.'
  );
}
