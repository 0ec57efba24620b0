/** Publishes with confirmation: many under way at once, each with its own time limit. */
import type { Channel, Envelope } from 'rabbitmq-client';
import { isCode, type KeptChannel, type RabbitmqConnection } from './rabbitmq-connection.ts';
import { AppendFailed, appendMsMax } from './segment-log.ts';

export type RabbitmqPublisher = {
  /** Resolves when a durable queue has it. @throws {AppendFailed} within `appendMsMax` */
  publish(envelope: Envelope, bytes: Buffer): Promise<void>;
  /** For how long nothing could be published, in milliseconds. */
  awayMs(): number;
  readonly prepared: Promise<void>;
  close(): Promise<void>;
};

/** Nothing is published on a new channel before `ensureQueues` has resolved. */
export function createRabbitmqPublisher(
  connection: RabbitmqConnection,
  ensureQueues: () => Promise<void>,
): RabbitmqPublisher {
  /** Messages that found no queue. The broker confirms them all the same, after it has returned them. */
  const returned = new Set<string>();
  let lastId = 0;
  let confirmedCount = 0;

  const kept: KeptChannel = connection.keepChannel(async (channel) => {
    await ensureQueues();
    returned.clear();
    channel.on('basic.return', ({ messageId }) => returned.add(String(messageId)));
    await channel.confirmSelect();
  });

  async function publishOn(channel: Channel, envelope: Envelope, bytes: Buffer): Promise<void> {
    lastId += 1;
    const messageId = String(lastId);
    const confirmedBefore = confirmedCount;
    const whole = { ...envelope, messageId, mandatory: true, durable: true, contentType: 'application/octet-stream' };
    const outcome = await firstOf(channel.basicPublish(whole, bytes));
    if (outcome === 'late') {
      // Nothing at all was confirmed meanwhile: the broker does not answer on this channel, and those who come next are refused.
      if (confirmedCount === confirmedBefore) kept.renew(channel);
      throw new AppendFailed('ingest_log_unavailable', 'unknown');
    }
    confirmedCount += 1;
    // The client tells of a returned message one turn of the event loop later than of its confirmation.
    await new Promise((resolve) => setImmediate(resolve));
    if (!returned.delete(messageId)) return;
    kept.renew(channel);
    throw new AppendFailed('ingest_log_unavailable', 'no', new Error('The queue is gone.'));
  }

  return {
    async publish(envelope, bytes) {
      if (connection.isBlocked()) throw new AppendFailed('ingest_log_full', 'no');
      const channel = kept.current();
      if (channel === null || !channel.active) throw new AppendFailed('ingest_log_unavailable', 'no');
      await publishOn(channel, envelope, bytes);
    },
    // A broker that has said that it takes nothing is not away.
    awayMs: () => (connection.isBlocked() ? 0 : kept.awayMs()),
    prepared: kept.prepared,
    close: () => kept.close(),
  };
}

/** Waits for the confirmation. Whatever has been handed to the connection may have reached the broker. */
function firstOf(confirmation: Promise<void>): Promise<'confirmed' | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('late'), appendMsMax);
    confirmation.then(
      () => {
        clearTimeout(timer);
        resolve('confirmed');
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(toAppendFailed(error));
      },
    );
  });
}

function toAppendFailed(error: unknown): AppendFailed {
  return isCode(error, 'NACK')
    ? new AppendFailed('ingest_log_full', 'no', error)
    : new AppendFailed('ingest_log_unavailable', 'unknown', error);
}
