/** Commits the offsets of one assignment: soon after acknowledgements, one commit at a time, and once more at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import { createOutage, isKafkaError, withDeadline, type KafkaAddress } from './kafka-client.ts';
import { createOffsetWatermark, type OffsetWatermark } from './offset-watermark.ts';

export type KafkaCommits = {
  /** What was committed of the partition. Anything that is in hand of it does not matter any more. */
  begin(partition: number, offset: bigint): void;
  /** Answers what acknowledges the record; null for a record that was handed over before. */
  deliver(partition: number, offset: bigint): (() => void) | null;
  /** Waits for what is in hand, but not for long, and commits. Never fails. */
  end(graceMs: number): Promise<void>;
};

export type KafkaCommitParts = {
  /** Commits in the name of a member of the group. */
  readonly client: Consumer;
  readonly address: KafkaAddress;
  readonly topic: string;
  readonly onCommitted: (partition: number, offset: bigint) => void;
  readonly log: Logger;
};

const commitMs = 100;
const retryMs = 500;
/** Not longer than a stop should take: without the last commit its segments come again. */
const lastCommitMsMax = 3_000;
/** The partitions are not ours any more. */
const generationOver = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'];

export function createKafkaCommits({ client, address, topic, onCommitted, log }: KafkaCommitParts): KafkaCommits {
  const committed = new Map<number, bigint>();
  const watermarks = new Map<number, OffsetWatermark>();
  const outage = createOutage(log, 'kafka commits', address.security);
  const allDone = Promise.withResolvers<void>();
  let inHand = 0;
  let timer: NodeJS.Timeout | null = null;
  let ending = false;
  let committing = Promise.resolve(true);

  function commitSoon(ms: number): void {
    if (ending) return;
    timer ??= setTimeout(async () => {
      timer = null;
      if (!(await commit())) commitSoon(retryMs);
    }, ms);
  }

  /** One at a time: of two commits of a partition the broker keeps the one that came last. */
  function commit(): Promise<boolean> {
    committing = committing.then(commitOnce);
    return committing;
  }

  /** Whether there is nothing left to do about it. */
  async function commitOnce(): Promise<boolean> {
    const offsets = [...watermarks]
      .map(([partition, watermark]) => ({ topic, partition, offset: watermark.next(), leaderEpoch: -1 }))
      .filter(({ partition, offset }) => offset > (committed.get(partition) ?? -1n));
    if (offsets.length === 0) return true;
    try {
      await client.commit({ offsets });
    } catch (error) {
      if (isKafkaError(error, ...generationOver)) return true;
      outage.begin(error);
      return false;
    }
    outage.end();
    for (const { partition, offset } of offsets) {
      committed.set(partition, offset);
      onCommitted(partition, offset);
    }
    return true;
  }

  return {
    begin(partition, offset) {
      committed.set(partition, offset);
      watermarks.set(partition, createOffsetWatermark(offset));
    },
    deliver(partition, offset) {
      const watermark = watermarks.get(partition);
      if (watermark?.deliver(offset) !== true) return null;
      inHand += 1;
      return () => {
        inHand -= 1;
        watermark.acknowledge(offset);
        if (inHand === 0 && ending) allDone.resolve();
        commitSoon(commitMs);
      };
    },
    async end(graceMs) {
      ending = true;
      if (timer !== null) clearTimeout(timer);
      if (inHand > 0) await withDeadline(allDone.promise, graceMs).catch(() => undefined);
      const lateAt = performance.now() + lastCommitMsMax;
      const commitInTime = (): Promise<boolean> =>
        withDeadline(commit(), lateAt - performance.now()).catch(() => false);
      while (!(await commitInTime()) && performance.now() < lateAt) await sleep(commitMs);
    },
  };
}
