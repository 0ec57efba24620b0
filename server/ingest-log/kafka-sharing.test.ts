import { expect, test } from 'vitest';
import { sharePartitions } from './kafka-sharing.ts';

function partitionsOf(shares: ReturnType<typeof sharePartitions>, topic: string): Record<string, number[]> {
  return Object.fromEntries(
    shares.map(({ memberId, assignments }) => [memberId, assignments.get(topic)?.partitions ?? []]),
  );
}

test('the partitions of a topic are shared evenly, each with one member', () => {
  const members = new Map(['b', 'a', 'c'].map((id) => [id, { topics: ['ballots'] }]));
  const shares = sharePartitions(members, new Map([['ballots', { partitionsCount: 8 }]]));
  expect(partitionsOf(shares, 'ballots')).toEqual({ a: [0, 3, 6], b: [1, 4, 7], c: [2, 5] });
});

test('a member that does not follow a topic gets nothing of it', () => {
  const members = new Map([
    ['a', { topics: ['here'] }],
    ['b', { topics: ['there'] }],
  ]);
  const topics = new Map(['here', 'there'].map((topic) => [topic, { partitionsCount: 2 }]));
  const shares = sharePartitions(members, topics);
  expect(partitionsOf(shares, 'here')).toEqual({ a: [0, 1], b: [] });
  expect(partitionsOf(shares, 'there')).toEqual({ a: [], b: [0, 1] });
});

test('members beyond the number of partitions wait with none', () => {
  const members = new Map(['a', 'b'].map((id) => [id, { topics: ['ballots'] }]));
  const shares = sharePartitions(members, new Map([['ballots', { partitionsCount: 1 }]]));
  expect(partitionsOf(shares, 'ballots')).toEqual({ a: [0], b: [] });
});
