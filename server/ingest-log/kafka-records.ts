/** Records as they come out of a fetch. */
import type { Consumer, RecordsBatch } from '@platformatic/kafka';

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;
type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

export type KafkaRecord = {
  readonly partition: number;
  readonly offset: bigint;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<string, string>;
};

export type FetchedRecords = {
  readonly partition: number;
  readonly records: readonly KafkaRecord[];
  /** Where to read on: behind the last record, or where reading began if there is none. */
  readonly next: bigint;
};

/** Marks of transactions, which are not for readers. */
const controlFlag = 0b10_0000;

/**
 * By partition, of those that were asked for. A batch may begin before the offset that was asked for, and those records are left out.
 */
export function readRecords(response: FetchResponse, positions: ReadonlyMap<number, bigint>): FetchedRecords[] {
  return response.responses.flatMap(({ partitions }) =>
    partitions.flatMap((fetched) => {
      const from = positions.get(fetched.partitionIndex);
      return from === undefined ? [] : [readPartition(fetched, from)];
    }),
  );
}

function readPartition({ partitionIndex, records }: FetchedPartition, from: bigint): FetchedRecords {
  const batches = records ?? [];
  const last = batches.at(-1);
  const end = last === undefined ? from : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
  return {
    partition: partitionIndex,
    records: batches
      .filter(({ attributes }) => (attributes & controlFlag) === 0)
      .flatMap((batch) => readBatch(batch, partitionIndex))
      .filter(({ offset }) => offset >= from),
    next: end > from ? end : from,
  };
}

function readBatch({ firstOffset, records }: RecordsBatch, partition: number): KafkaRecord[] {
  return records.map(({ offsetDelta, value, headers }) => ({
    partition,
    offset: firstOffset + BigInt(offsetDelta),
    value: value ?? Buffer.alloc(0),
    headers: new Map(headers.map(([name, text]) => [String(name ?? ''), String(text ?? '')])),
  }));
}
