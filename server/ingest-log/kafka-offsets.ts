/** Where a consumer group stands in a topic. */
import { ListOffsetTimestamps, type Admin } from '@platformatic/kafka';
import { isKafkaError } from './kafka-client.ts';
import { countPartitions } from './kafka-topics.ts';

export type PartitionOffsets = {
  readonly partition: number;
  /** The first record that the group has not committed. */
  readonly next: bigint;
  /** Behind the last record. */
  readonly end: bigint;
};

export async function readOffsets(admin: Admin, topic: string, groupId: string): Promise<PartitionOffsets[]> {
  const partitions = Array.from({ length: await countPartitions(admin, topic) }, (_, partition) => partition);
  const groups = [{ groupId, topics: [{ name: topic, partitionIndexes: partitions }] }];
  const listAt = async (timestamp: bigint): Promise<Map<number, bigint>> => {
    const wanted = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
    const listed = await admin.listOffsets({ topics: [{ name: topic, partitions: wanted }] });
    return new Map(listed.flatMap((each) => each.partitions.map((found) => [found.partitionIndex, found.offset])));
  };
  const [committed, firsts, ends] = await Promise.all([
    admin.listConsumerGroupOffsets({ groups }),
    listAt(ListOffsetTimestamps.EARLIEST),
    listAt(ListOffsetTimestamps.LATEST),
  ]);
  const commits = new Map(
    committed
      .flatMap(({ topics }) => topics)
      .flatMap((each) => each.partitions.map((found) => [found.partitionIndex, found.committedOffset])),
  );
  return partitions.map((partition) => {
    const end = ends.get(partition) ?? 0n;
    const first = firsts.get(partition) ?? 0n;
    const offset = commits.get(partition) ?? -1n;
    // As a consumer would begin: what it has committed may have been deleted, or be lost.
    return { partition, next: offset >= first && offset <= end ? offset : first, end };
  });
}

export async function countMembers(admin: Admin, groupId: string): Promise<number> {
  try {
    const groups = await admin.describeGroups({ groups: [groupId] });
    return groups.get(groupId)?.members.size ?? 0;
  } catch (error) {
    if (isKafkaError(error, 'GROUP_ID_NOT_FOUND')) return 0;
    throw error;
  }
}
