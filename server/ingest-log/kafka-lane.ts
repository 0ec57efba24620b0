/**
 * An idempotent producer with at most one record on its way. The library numbers records as they leave and starts anew after any error:
 * with one at a time no number can be in doubt.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Producer } from '@platformatic/kafka';
import { endClient, isKafkaError, toClientOptions, withDeadline, type KafkaAddress } from './kafka-client.ts';

export type KafkaRecordToAppend = {
  readonly topic: string;
  readonly value: Buffer;
  readonly headers?: ReadonlyMap<string, string>;
};

export type KafkaLane = {
  /**
   * Connects to the leader of a partition and answers which: the next in turn, so that one busy poll uses all of them. Nothing has left when
   * it fails. Waits for a broker that answers and is not ready yet, as it is after its start.
   */
  prepare(topic: string, msMax: number, fresh?: 'fresh'): Promise<number>;
  /** Resolves when the broker has acknowledged the record. When it fails, the record may still arrive, and nobody waits for it. */
  send(record: KafkaRecordToAppend, partition: number, msMax: number): Promise<void>;
  close(): Promise<void>;
};

const retryMs = 100;
const notReady = ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'LEADER_NOT_AVAILABLE'];

/** `nextTurn` counts the appends of all lanes. */
export function createKafkaLane(address: KafkaAddress, nextTurn: () => number): KafkaLane {
  let producer: Producer | null = null;
  let closed = false;
  /** By partition, the offset of the last record. */
  const lastOffsets = new Map<string, bigint>();

  async function connect(topic: string, forceUpdate: boolean): Promise<number> {
    if (closed) throw new Error('The log is closed.');
    const used = producer ?? new Producer({ ...toClientOptions(address), idempotent: true });
    producer = used;
    if (used.producerId === undefined) await used.initIdempotentProducer({});
    const { topics, brokers } = await used.metadata({ topics: [topic], forceUpdate });
    const partitions = topics.get(topic)?.partitions ?? [];
    const unreachable = new Set<number>();
    let cause: unknown = new Error(`No partition of ${topic} has a leader.`);
    for (let tries = 0; tries < partitions.length; tries += 1) {
      const partition = nextTurn() % partitions.length;
      const leader = partitions[partition]?.leader ?? -1;
      const broker = brokers.get(leader);
      if (broker === undefined || unreachable.has(leader)) continue;
      try {
        await used.connections.get(broker);
        return partition;
      } catch (error) {
        unreachable.add(leader);
        cause = error;
      }
    }
    throw cause;
  }

  function discard(): Promise<void> {
    const discarded = producer;
    producer = null;
    lastOffsets.clear();
    return discarded === null ? Promise.resolve() : endClient(discarded);
  }

  return {
    async prepare(topic, msMax, fresh) {
      const lateAt = performance.now() + msMax;
      for (;;) {
        try {
          return await withDeadline(connect(topic, fresh === 'fresh'), lateAt - performance.now());
        } catch (error) {
          void discard();
          if (!isKafkaError(error, ...notReady) || performance.now() + retryMs > lateAt) throw error;
          await sleep(retryMs);
        }
      }
    },
    async send({ topic, value, headers }, partition, msMax) {
      const named = [...(headers ?? [])].map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
      const message = { topic, partition, value, headers: new Map(named) };
      try {
        if (producer === null) throw new Error('The log is closed.');
        const { offsets = [] } = await withDeadline(producer.send({ messages: [message] }), msMax);
        const offset = offsets[0]?.offset ?? -1n;
        const key = `${topic}:${partition}`;
        // An acknowledgement without a place of its own is none: the library has given such ones.
        if (offset <= (lastOffsets.get(key) ?? -1n))
          throw new Error('Kafka acknowledged a record and not where it is.');
        lastOffsets.set(key, offset);
      } catch (error) {
        void discard();
        throw error;
      }
    },
    close() {
      closed = true;
      return discard();
    },
  };
}
