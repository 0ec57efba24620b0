/**
 * A member of the consumer group, which is made anew whenever it fails: the library's own repeats end after a while.
 *
 * `joining`: the group waits for all its members. Before we answer that, what is in hand of our partitions is acknowledged if it can be
 * done soon, and committed, so that a new sharing out repeats nothing while nothing fails.
 * `working`: the group has given us partitions (`kafka-assignment.ts`).
 * `ended`: the group does not know us any more, or the broker is gone. After a pause a new member joins.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import { takeAssignment, type Assignment, type AssignmentParts, type Given } from './kafka-assignment.ts';
import { createOutage, endClient, toClientOptions, type KafkaAddress } from './kafka-client.ts';
import { sharePartitions } from './kafka-sharing.ts';
import type { Consumption, Delivery } from './segment-log.ts';

export type KafkaConsumerParts = Pick<AssignmentParts, 'topic' | 'groupId' | 'onCommitted'> & {
  readonly address: KafkaAddress;
  /** How long the group believes in a member that is silent. Milliseconds. */
  readonly sessionMs: number;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly deliveriesMax: number;
  readonly log: Logger;
};

const pauseMs = 500;
/** How long the group waits for its members to say that they are still there. */
const rebalanceMs = 15_000;

export function consumeTopic(parts: KafkaConsumerParts): Consumption {
  const { topic, log } = parts;
  const stopping = new AbortController();
  const outage = createOutage(log, 'kafka consumer', parts.address.security);
  const hasRoom = (): boolean => inHand < parts.deliveriesMax;
  let assignment: Assignment | null = null;
  let lastEnd: Promise<void> = Promise.resolve();
  let inHand = 0;

  function deliver(bytes: Buffer, onAcknowledged: () => void): void {
    inHand += 1;
    const acknowledge = once(() => {
      inHand -= 1;
      onAcknowledged();
      assignment?.handOver();
    });
    parts.onDelivery({ bytes, acknowledge });
  }

  function endAssignment(graceMs: number): Promise<void> {
    if (assignment !== null) lastEnd = assignment.end(graceMs);
    assignment = null;
    return lastEnd;
  }

  function begin(given: Given): void {
    void endAssignment(0);
    if (stopping.signal.aborted) return;
    if (given.partitions.length > 0) assignment = takeAssignment({ ...parts, hasRoom, deliver, outage }, given);
    else outage.end();
  }

  /** Ends when the member is of no use any more. */
  async function work(): Promise<void> {
    const member = makeMember(parts, endAssignment);
    const over = Promise.withResolvers<void>();
    const stop = (): void => over.resolve();
    stopping.signal.addEventListener('abort', stop);
    member.on('error', over.reject);
    member.on('consumer:heartbeat:stalled', () => over.reject(new Error('The group does not answer.')));
    member.on('consumer:group:join', ({ memberId, generationId = 0, assignments = [] }) => {
      const partitions = assignments.filter((share) => share.topic === topic).flatMap((share) => share.partitions);
      begin({ memberId, generationId, partitions });
    });
    try {
      member.topics.track(topic);
      member.joinGroup({}).catch(over.reject);
      await over.promise;
    } finally {
      stopping.signal.removeEventListener('abort', stop);
      await endAssignment(0);
      await endClient({ connections: member.connections, close: () => member.close(true) });
    }
  }

  async function workUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await work();
      } catch (error) {
        outage.begin(error);
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const working = workUntilStopped();
  return {
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

function makeMember(
  { address, groupId, sessionMs }: KafkaConsumerParts,
  endAssignment: (graceMs: number) => Promise<void>,
): Consumer {
  return new Consumer({
    ...toClientOptions(address),
    groupId,
    sessionTimeout: sessionMs,
    rebalanceTimeout: rebalanceMs,
    heartbeatInterval: Math.min(2_000, sessionMs / 4),
    heartbeatStallTimeout: 3 * sessionMs,
    // The answer to a join comes when all members have joined.
    requestTimeout: rebalanceMs + sessionMs,
    retries: 3,
    retryDelay: pauseMs,
    partitionAssigner: (_current, members, _topics, { topics }) => sharePartitions(members, topics),
    // Called before each join. What it answers goes to the member that shares out, which has no use for it.
    async protocolsMetadata() {
      await endAssignment(sessionMs / 3);
      return Buffer.alloc(0);
    },
  });
}
