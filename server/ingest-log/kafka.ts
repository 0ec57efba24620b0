/**
 * The segment log in Kafka: a topic of 12 partitions for segments, one of one partition for dead letters, and a consumer group.
 *
 * Segments go to the partitions in turn, so that the ballots of one busy poll keep all of them busy; the order of acceptance is carried in
 * each ballot. What a group has recorded is deleted from the topic after a while, because the topic itself forgets nothing by age.
 */
import { Admin } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import { createKafkaAppender, lanesMax } from './kafka-appender.ts';
import { endClient, toClientOptions, toReason, withDeadline, type KafkaAddress } from './kafka-client.ts';
import { consumeTopic } from './kafka-consumer.ts';
import { createKafkaDeadLetters } from './kafka-dead-letters.ts';
import { guessRefusal, toRefusal } from './kafka-refusals.ts';
import { countMembers, readOffsets } from './kafka-offsets.ts';
import { checkTopics, makeTopics } from './kafka-topics.ts';
import { appendMsMax, type Consumption, type SegmentLog, type SegmentLogOptions } from './segment-log.ts';

export type KafkaSegmentLogOptions = SegmentLogOptions &
  KafkaAddress & {
    readonly groupId: string;
    /** How long the group believes in a consumer that is silent. Milliseconds; the broker refuses less than its own minimum, 6 s. */
    readonly sessionMs?: number;
  };

const partitions = 12;
const sessionMsDefault = 10_000;
const deletionMs = 60_000;
const lastDeletionMsMax = 1_000;

/** @throws {Error} in one line, where the broker does not answer or a topic cannot be made */
export async function createKafkaSegmentLog(options: KafkaSegmentLogOptions): Promise<SegmentLog> {
  const { queueName: topic, groupId, log } = options;
  const address = { brokers: options.brokers, clientId: options.clientId, security: options.security };
  const deadTopic = `${topic}.dead`;
  // Other than an append, what it asks may be asked again: a broker that has just started cannot answer everything yet.
  const admin = new Admin({ ...toClientOptions(address), retries: 5, retryDelay: 300 });
  const appender = createKafkaAppender(address, topic, log);
  try {
    // Who is refused is not asked again: some accounts are locked after a few wrong passwords.
    await admin.metadata({ topics: [], retries: 0 }).catch((error: unknown) => {
      if (toRefusal(error, address.security) !== null) throw error;
    });
    await makeTopics(admin, [
      { topic, partitions },
      { topic: deadTopic, partitions: 1 },
    ]);
    await appender.open();
  } catch (error) {
    await appender.close();
    await endClient(admin);
    throw new Error(`Kafka at ${address.brokers.join(',')} cannot be used: ${explain(error, address)}`, {
      cause: error,
    });
  }
  const deletion = startDeletion(admin, topic, log);
  const consumptions = new Set<Consumption>();

  function consume(onDelivery: Parameters<SegmentLog['consume']>[0], deliveriesMax: number): Promise<Consumption> {
    const { note: onCommitted } = deletion;
    const sessionMs = options.sessionMs ?? sessionMsDefault;
    const begun = consumeTopic({ address, topic, groupId, sessionMs, onDelivery, deliveriesMax, onCommitted, log });
    const consumption: Consumption = {
      stop: () => {
        consumptions.delete(consumption);
        return begun.stop();
      },
    };
    consumptions.add(consumption);
    return Promise.resolve(consumption);
  }

  return {
    name: 'kafka',
    appendsMax: lanesMax,
    countsInHand: true,
    checkDurability: () => checkTopics(admin, [topic, deadTopic]),
    append: (segment) => appender.append({ topic, value: segment }),
    consume,
    async measure() {
      const [offsets, consumers] = await withDeadline(
        Promise.all([readOffsets(admin, topic, groupId), countMembers(admin, groupId)]),
        appendMsMax,
      ).catch((error: unknown) => {
        throw new Error(`Kafka does not tell what waits: ${toReason(error)}`, { cause: error });
      });
      return { segments: Number(offsets.reduce((sum, { next, end }) => sum + (end - next), 0n)), consumers };
    },
    dead: createKafkaDeadLetters({ address, topic, deadTopic, groupId: `${groupId}.dead`, appender, admin, log }),
    awayMs: () => appender.awayMs(),
    awayReason: () => appender.awayReason(),
    async close() {
      await Promise.all([...consumptions].map((consumption) => consumption.stop()));
      await deletion.stop();
      await appender.close();
      await endClient(admin);
    },
  };
}

function explain(error: unknown, { security }: KafkaAddress): string {
  return toRefusal(error, security) ?? guessRefusal(error, security) ?? toReason(error);
}

type Deletion = {
  /** All records of the partition before this offset may go. */
  note(partition: number, offset: bigint): void;
  /** Deletes the last of them, if the broker answers soon. */
  stop(): Promise<void>;
};

function startDeletion(admin: Admin, topic: string, log: Logger): Deletion {
  const offsets = new Map<number, bigint>();
  let refused = false;

  async function deleteNoted(): Promise<void> {
    if (offsets.size === 0) return;
    const noted = [...offsets].map(([partition, offset]) => ({ partition, offset }));
    offsets.clear();
    try {
      await admin.deleteRecords({ topics: [{ name: topic, partitions: noted }] });
      refused = false;
    } catch (error) {
      // They go with the next ones of their partition.
      if (!refused) log.warn({ reason: toReason(error) }, 'recorded segments not deleted from kafka');
      refused = true;
    }
  }

  const timer = setInterval(() => void deleteNoted(), deletionMs).unref();
  return {
    note: (partition, offset) => offsets.set(partition, offset),
    async stop() {
      clearInterval(timer);
      await withDeadline(deleteNoted(), lastDeletionMsMax).catch(() => undefined);
    },
  };
}
