/**
 * The work of one consumer on the partitions that its group has given it, until the group shares them out again.
 *
 * A round reads from all leaders of the partitions at the same time. Where one of them fails, the round ends and a new one is planned from
 * fresh metadata; what was handed over stays in hand, and reading goes on behind it. Offsets are committed behind the longest run of
 * acknowledged segments of a partition, in the name of the generation of the group in which the partitions were ours: afterwards the broker
 * refuses the commit, and the segments come again wherever the partition is now.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPool, Consumer, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import { endClient, isKafkaError, toClientOptions, type KafkaAddress, type Outage } from './kafka-client.ts';
import { createKafkaCommits } from './kafka-commits.ts';
import { readRecords, type KafkaRecord } from './kafka-records.ts';

/** What the group has given to a member. */
export type Given = {
  readonly memberId: string;
  readonly generationId: number;
  readonly partitions: readonly number[];
};

export type AssignmentParts = {
  readonly address: KafkaAddress;
  readonly topic: string;
  readonly groupId: string;
  /** Whether the consumer may be given one more. */
  readonly hasRoom: () => boolean;
  readonly deliver: (bytes: Buffer, onAcknowledged: () => void) => void;
  /** All records of the partition before this offset are done with. */
  readonly onCommitted: (partition: number, offset: bigint) => void;
  readonly outage: Outage;
  readonly log: Logger;
};

export type Assignment = {
  /** There may be room again. */
  handOver(): void;
  /** Reads no more, waits for what is in hand, but not for long, and commits. Never fails. */
  end(graceMs: number): Promise<void>;
};

const retryMs = 500;
/** How long the broker keeps a fetch that finds nothing. */
const fetchWaitMs = 500;
const fetchBytesMax = 4_194_304;
const partitionBytesMax = 1_048_576;

export function takeAssignment(parts: AssignmentParts, given: Given): Assignment {
  const { topic, outage } = parts;
  const client = makeClient(parts, given);
  const commits = createKafkaCommits({ ...parts, client });
  const positions = new Map<number, bigint>();
  const ending = new AbortController();
  const isEnding = (): boolean => ending.signal.aborted;
  const ready = createReadyRecords(parts.hasRoom, ({ partition, offset, value }) => {
    const onAcknowledged = commits.deliver(partition, offset);
    if (onAcknowledged !== null) parts.deliver(value, onAcknowledged);
  });
  let round: ConnectionPool | null = null;

  async function readOn(): Promise<void> {
    while (!isEnding()) {
      try {
        if (positions.size === 0) {
          for (const [partition, offset] of await findPositions(client, parts, given)) {
            positions.set(partition, offset);
            commits.begin(partition, offset);
          }
        }
        await runRound();
      } catch (error) {
        if (isEnding()) return;
        outage.begin(error);
        if (isKafkaError(error, 'OFFSET_OUT_OF_RANGE')) forget();
        await sleep(retryMs, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
  }

  /** What is in hand comes again, from wherever the log begins now. */
  function forget(): void {
    positions.clear();
    ready.clear();
  }

  async function runRound(): Promise<void> {
    const pool = new ConnectionPool(parts.address.clientId, toClientOptions(parts.address));
    round = pool;
    try {
      const isOver = (): boolean => isEnding() || round !== pool;
      const sources = await findSources(client, pool, topic, positions);
      const take = async (records: readonly KafkaRecord[]): Promise<void> => {
        outage.end();
        await ready.add(records, isOver);
      };
      await Promise.all(sources.map((source) => readFrom(source, isOver, take)));
    } finally {
      round = null;
      await endPool(pool);
    }
  }

  const reading = readOn();
  return {
    handOver: ready.handOver,
    async end(graceMs) {
      ending.abort();
      forget();
      if (round !== null) void endPool(round);
      await commits.end(graceMs);
      await endClient(client);
      await reading;
    },
  };
}

type ReadyRecords = {
  /** Resolves when all were handed over, or need not be any more. */
  add(records: readonly KafkaRecord[], isOver: () => boolean): Promise<void>;
  handOver(): void;
  clear(): void;
};

/** Records that were read and wait for room. */
function createReadyRecords(hasRoom: () => boolean, hand: (record: KafkaRecord) => void): ReadyRecords {
  const ready: KafkaRecord[] = [];
  let emptied = Promise.withResolvers<void>();
  let handing = false;

  function handOver(): void {
    // Called from within by whoever acknowledges at once: the loop goes on with the next one.
    if (handing) return;
    handing = true;
    try {
      while (hasRoom()) {
        const record = ready.shift();
        if (record === undefined) break;
        hand(record);
      }
    } finally {
      handing = false;
    }
    if (ready.length > 0) return;
    emptied.resolve();
    emptied = Promise.withResolvers();
  }

  return {
    async add(records, isOver) {
      ready.push(...records);
      handOver();
      while (ready.length > 0 && !isOver()) await emptied.promise;
    },
    handOver,
    clear() {
      ready.length = 0;
      handOver();
    },
  };
}

/** It commits in the name of the member, whose own connection is busy while the group is being shared out. */
function makeClient({ address, topic, groupId, outage }: AssignmentParts, { memberId, generationId }: Given): Consumer {
  const client = new Consumer({ ...toClientOptions(address), groupId });
  client.on('error', (error: Error) => outage.begin(error));
  client.topics.track(topic);
  client.memberId = memberId;
  client.generationId = generationId;
  return client;
}

/** Where to read each partition from: what was committed of it or, where that is not in the log, where the log begins. */
async function findPositions(client: Consumer, parts: AssignmentParts, given: Given): Promise<Map<number, bigint>> {
  const { topic, log } = parts;
  const partitions = [...given.partitions];
  const committed = await client.listCommittedOffsets({ topics: [{ topic, partitions }] });
  const listAt = (timestamp: bigint): ReturnType<Consumer['listOffsets']> =>
    client.listOffsets({ topics: [topic], partitions: { [topic]: partitions }, timestamp });
  const firsts = await listAt(ListOffsetTimestamps.EARLIEST);
  // Read after the commits, so that it cannot be behind them.
  const ends = await listAt(ListOffsetTimestamps.LATEST);
  const positions = partitions.map((partition) => {
    const offset = committed.get(topic)?.[partition] ?? -1n;
    const first = firsts.get(topic)?.[partition] ?? 0n;
    const end = ends.get(topic)?.[partition] ?? 0n;
    if (offset > end) log.warn({ partition }, 'kafka has lost records: the partition is read again');
    return [partition, offset >= first && offset <= end ? offset : first] as const;
  });
  return new Map(positions);
}

type Source = {
  readonly client: Consumer;
  readonly pool: ConnectionPool;
  /** The broker that leads all of the partitions. */
  readonly node: number;
  readonly topicId: string;
  readonly partitions: readonly number[];
  /** Where to read on, by partition. */
  readonly positions: Map<number, bigint>;
};

async function findSources(
  client: Consumer,
  pool: ConnectionPool,
  topic: string,
  positions: Map<number, bigint>,
): Promise<Source[]> {
  const { topics } = await client.metadata({ topics: [topic], forceUpdate: true });
  const { id: topicId = '', partitions = [] } = topics.get(topic) ?? {};
  const byLeader = Map.groupBy(positions.keys(), (partition) => partitions[partition]?.leader ?? -1);
  return [...byLeader].map(([node, own]) => ({ client, pool, node, topicId, partitions: own, positions }));
}

/** Until it is over. Reads no further ahead than one fetch. */
async function readFrom(
  { client, pool, node, topicId, partitions, positions }: Source,
  isOver: () => boolean,
  take: (records: readonly KafkaRecord[]) => Promise<void>,
): Promise<void> {
  while (!isOver()) {
    const from = new Map(partitions.map((partition) => [partition, positions.get(partition) ?? 0n]));
    const response = await client.fetch({
      node,
      topics: [{ topicId, partitions: [...from].map(([partition, offset]) => toFetch(partition, offset)) }],
      connectionPool: pool,
      maxWaitTime: fetchWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
    });
    if (isOver()) return;
    const fetched = readRecords(response, from);
    for (const { partition, next } of fetched) positions.set(partition, next);
    await take(fetched.flatMap(({ records }) => records));
  }
}

function toFetch(partition: number, fetchOffset: bigint) {
  return {
    partition,
    fetchOffset,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    partitionMaxBytes: partitionBytesMax,
  };
}

function endPool(pool: ConnectionPool): Promise<void> {
  return endClient({ connections: pool, close: () => pool.close() });
}
