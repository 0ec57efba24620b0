/** One poll as one audience follows it: new frames go to all who follow, and whoever was full gets the latest ones later. */
import { createPollTopic, toEventId, type Change, type Sight } from './poll-topic.ts';
import type { Subscriber } from './subscriber.ts';
import type { Topic } from './topic.ts';

export type FollowedPoll = Topic & {
  /** Sends what a follower begins with, unless it has that already by its event id. Answers how to leave, which says false the second time. */
  join(subscriber: Subscriber, knownEventId: string | null): () => boolean;
};

type Follower = {
  readonly subscriber: Subscriber;
  /** The version of the last tally that was sent. */
  version: number;
  /** What was left out because the subscriber was full. */
  missed: ReadonlySet<Change['kind']>;
};

const nothing: ReadonlySet<Change['kind']> = new Set();
/** In which order a follower is brought up to date. */
const kindsInOrder = ['sight', 'poll', 'tally', 'pulse'] as const satisfies Change['kind'][];

export function createFollowedPoll(epoch: string, look: () => Sight): FollowedPoll {
  const followers = new Set<Follower>();
  const behind = new Set<Follower>();
  const latest = new Map<Change['kind'], Change>();
  const topic = createPollTopic(epoch, look());

  function tell(follower: Follower, change: Change): void {
    if (change.kind === 'tally' && change.version !== null && change.version <= follower.version) return;
    if (follower.missed.size > 0 || follower.subscriber.full()) {
      follower.missed = new Set([...follower.missed, change.kind]);
      behind.add(follower);
      return;
    }
    if (change.version !== null) follower.version = change.version;
    follower.subscriber.send(change.frame);
  }

  /** The latest frame of each kind that was missed: what lay between says nothing that they do not say. */
  function catchUp(follower: Follower): void {
    if (follower.subscriber.full()) return;
    behind.delete(follower);
    const { missed } = follower;
    follower.missed = nothing;
    for (const kind of kindsInOrder) {
      const change = latest.get(kind);
      if (missed.has(kind) && change !== undefined) tell(follower, change);
    }
  }

  return {
    tick(pulsing) {
      for (const change of topic.advance(look(), pulsing)) {
        latest.set(change.kind, change);
        for (const follower of followers) tell(follower, change);
      }
      for (const follower of behind) catchUp(follower);
    },
    empty: () => followers.size === 0,
    end(last) {
      for (const { subscriber } of followers) subscriber.send(last);
      followers.clear();
      behind.clear();
    },
    join(subscriber, knownEventId) {
      const sight = look();
      const follower: Follower = { subscriber, version: sight.tally?.version ?? -1, missed: nothing };
      followers.add(follower);
      if (knownEventId !== toEventId(epoch, sight)) subscriber.send(topic.begin(sight).frame);
      return () => {
        behind.delete(follower);
        return followers.delete(follower);
      };
    },
  };
}
