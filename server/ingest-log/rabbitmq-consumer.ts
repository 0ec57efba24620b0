/** Takes segments from the queue and acknowledges them by hand, on a channel that comes back by itself. */
import type { Channel } from 'rabbitmq-client';
import { withinAnswerMs, type RabbitmqConnection } from './rabbitmq-connection.ts';
import type { Consumption, Delivery } from './segment-log.ts';

/** The most that the protocol can ask for; 0 would mean that there is no limit. */
const prefetch = { min: 1, max: 65_535 };

/** Resolves when it is given segments; while the broker is away it goes on trying after that. */
export async function startRabbitmqConsumer(
  connection: RabbitmqConnection,
  queue: string,
  onDelivery: (delivery: Delivery) => void,
  deliveriesMax: number,
): Promise<Consumption> {
  let isStopped = false;
  let consumerTag: string | undefined;
  const prefetchCount = Math.min(Math.max(deliveriesMax, prefetch.min), prefetch.max);

  const kept = connection.keepChannel(async (channel) => {
    await withinAnswerMs(channel.basicQos({ prefetchCount }));
    const consume = channel.basicConsume({ queue, noAck: false }, ({ body, deliveryTag }) => {
      if (!isStopped) onDelivery({ bytes: toBytes(body), acknowledge: () => acknowledge(channel, deliveryTag) });
    });
    ({ consumerTag } = await withinAnswerMs(consume));
  });
  await kept.prepared;
  return {
    async stop() {
      isStopped = true;
      const channel = kept.current();
      // Where the connection is lost meanwhile, the broker hands out again what it has not heard of.
      if (channel !== null && consumerTag !== undefined)
        await withinAnswerMs(settle(channel, consumerTag)).catch(() => undefined);
      await kept.close();
    },
  };
}

/** A delivery belongs to its channel. After that has gone, it comes again on another one. */
function acknowledge(channel: Channel, deliveryTag: number): void {
  if (channel.active) channel.basicAck({ deliveryTag });
}

/**
 * The broker passes on 32 acknowledgements of a channel at a time; it keeps those behind them until the queue has answered, and forgets them
 * when the channel is closed. Cancelling waits for the queue, and the round trip after it for what was kept.
 */
async function settle(channel: Channel, consumerTag: string): Promise<void> {
  await channel.basicCancel({ consumerTag });
  await channel.basicQos({ prefetchCount: prefetch.min });
}

/** The client turns what calls itself text or JSON into that; our own segments are neither. */
export function toBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
