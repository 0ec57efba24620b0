/**
 * Dead letters in a topic of their own, of one partition. Where the list begins is the committed offset of a group without members; since
 * Kafka forgets the offsets of such a group after a week, what was replayed is also deleted from the topic.
 */
import { Consumer, type Admin } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import type { KafkaAppender } from './kafka-appender.ts';
import { endClient, toClientOptions, toReason, type KafkaAddress } from './kafka-client.ts';
import { readOffsets } from './kafka-offsets.ts';
import { readRecords, type KafkaRecord } from './kafka-records.ts';
import type { DeadLetter, DeadLetters } from './segment-log.ts';

export type KafkaDeadLetterParts = {
  readonly address: KafkaAddress;
  readonly topic: string;
  readonly deadTopic: string;
  readonly groupId: string;
  readonly appender: KafkaAppender;
  readonly admin: Admin;
  readonly log: Logger;
};

const partition = 0;
const lettersAtOnce = 20;
const fetchBytesMax = 4_194_304;
const fetchWaitMs = 500;

export function createKafkaDeadLetters(parts: KafkaDeadLetterParts): DeadLetters {
  const { address, topic, deadTopic, groupId, appender, admin, log } = parts;

  async function findSpan(): Promise<{ next: bigint; end: bigint }> {
    const [span] = await readOffsets(admin, deadTopic, groupId);
    return span ?? { next: 0n, end: 0n };
  }

  async function list(limit: number): Promise<DeadLetter[]> {
    const span = await findSpan();
    if (span.next >= span.end) return [];
    const reader = new Consumer({ ...toClientOptions(address), groupId });
    try {
      return (await readSpan(reader, deadTopic, span, limit)).map(toDeadLetter);
    } finally {
      await endClient({ connections: reader.connections, close: () => reader.close(true) });
    }
  }

  async function takeOff(before: bigint): Promise<void> {
    const partitionOffsets = [{ partition, offset: before }];
    await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: deadTopic, partitionOffsets }] });
    await admin
      .deleteRecords({ topics: [{ name: deadTopic, partitions: partitionOffsets }] })
      .catch((error: unknown) => log.warn({ reason: toReason(error) }, 'replayed dead letters not deleted'));
  }

  /** Answers how many. What was appended is taken off also where a later one fails. */
  async function replaySome(letters: readonly DeadLetter[]): Promise<number> {
    let replayed: bigint | null = null;
    try {
      for (const { id, bytes } of letters) {
        await appender.append({ topic, value: bytes });
        replayed = BigInt(id);
      }
    } finally {
      if (replayed !== null) await takeOff(replayed + 1n);
    }
    return letters.length;
  }

  return {
    async bury(bytes, reason) {
      const headers = new Map([
        ['reason', reason],
        ['died-at', String(Date.now())],
      ]);
      await appender.append({ topic: deadTopic, value: bytes, headers });
    },
    async count() {
      const { next, end } = await findSpan();
      return Number(end - next);
    },
    list,
    async replay() {
      // Those that come in the meantime wait for the next replay.
      const { end } = await findSpan();
      for (let count = 0; ;) {
        const letters = (await list(lettersAtOnce)).filter(({ id }) => BigInt(id) < end);
        if (letters.length === 0) return count;
        count += await replaySome(letters);
      }
    },
  };
}

async function readSpan(
  reader: Consumer,
  topic: string,
  { next, end }: { next: bigint; end: bigint },
  limit: number,
): Promise<KafkaRecord[]> {
  reader.topics.track(topic);
  const { topics } = await reader.metadata({ topics: [topic] });
  const found = topics.get(topic);
  const records: KafkaRecord[] = [];
  let position = next;
  while (records.length < limit && position < end) {
    const wanted = {
      partition,
      fetchOffset: position,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: fetchBytesMax,
    };
    const response = await reader.fetch({
      node: found?.partitions[partition]?.leader ?? -1,
      topics: [{ topicId: found?.id ?? '', partitions: [wanted] }],
      maxWaitTime: fetchWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
    });
    for (const fetched of readRecords(response, new Map([[partition, position]]))) {
      records.push(...fetched.records);
      position = fetched.next;
    }
  }
  return records.slice(0, limit);
}

function toDeadLetter({ offset, value, headers }: KafkaRecord): DeadLetter {
  return {
    id: String(offset),
    bytes: value,
    reason: headers.get('reason') ?? '',
    diedAt: Number(headers.get('died-at') ?? 0),
  };
}
