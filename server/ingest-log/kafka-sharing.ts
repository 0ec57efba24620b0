/**
 * How a consumer group shares out the partitions of its topics. Members of one group may follow different topics (two installations that
 * kept the default name, on one broker), and the library's own way gives partitions to members that do not read them.
 */
import type { GroupPartitionsAssignments } from '@platformatic/kafka';

type Members = ReadonlyMap<string, { readonly topics?: readonly string[] }>;
type Topics = ReadonlyMap<string, { readonly partitionsCount: number }>;

/** The partitions of each topic in turn to those that follow it, so that their numbers differ by one at most. */
export function sharePartitions(members: Members, topics: Topics): GroupPartitionsAssignments[] {
  const shares = new Map(
    [...members.keys()].sort().map((memberId) => [memberId, { memberId, assignments: new Map() }] as const),
  );
  for (const [topic, { partitionsCount }] of topics) {
    const followers = [...shares.values()].filter(({ memberId }) => members.get(memberId)?.topics?.includes(topic));
    for (const [index, { assignments }] of followers.entries()) {
      const partitions = Array.from({ length: partitionsCount }, (_, partition) => partition).filter(
        (partition) => partition % followers.length === index,
      );
      assignments.set(topic, { topic, partitions });
    }
  }
  return [...shares.values()];
}
