/**
 * Fills nodes anew, whatever they held before. The lock on each node is held throughout, and every step asks for it, so of
 * several processes that find the same node empty one fills it, and one that was held up on the way spoils nothing.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import type { BoardCopy, PollCopy, Sums } from './board-copy.ts';
import { lockMs } from './node-scripts.ts';
import type { RedisNode } from './redis-node.ts';

export type FillPlan = {
  readonly epoch: string;
  readonly generation: number;
  readonly nodeOf: (key: string) => string;
  /** What to fill them with; null where this process cannot tell now. */
  readonly copy: () => Promise<BoardCopy | null>;
  /** Whether the poll was deleted a moment ago, perhaps after the copy was made. */
  readonly isDropped: (pollNo: number) => boolean;
  readonly log: Logger;
};

const stepFieldsMax = 2_000;
const keepMs = lockMs / 4;
const emptyMsMax = 10_000;
const emptyPauseMs = 200;

/** Answers the nodes that it has filled, all of them with the same. Never rejects. */
export async function fillNodes(nodes: readonly RedisNode[], plan: FillPlan): Promise<ReadonlySet<RedisNode>> {
  const owner = randomBytes(8).toString('hex');
  const locked = await Promise.allSettled(nodes.map((node) => node.lock(owner)));
  const held = nodes.filter((_node, index) => isFulfilledWith(locked[index], true));
  if (held.length === 0) return new Set();
  const keeping = setInterval(() => {
    // The next step says so, too.
    for (const node of held) node.keep(owner).catch(() => undefined);
  }, keepMs);
  try {
    const copy = await readCopy(plan);
    if (copy === null) {
      await Promise.allSettled(held.map((node) => node.unlock(owner)));
      return new Set();
    }
    const byNode = Map.groupBy(copy.polls, ([key]) => plan.nodeOf(key));
    const filled = await Promise.allSettled(
      held.map((node) => fillNode(node, owner, { ...copy, polls: new Map(byNode.get(node.name)) }, plan)),
    );
    return new Set(held.filter((_node, index) => filled[index]?.status === 'fulfilled'));
  } finally {
    clearInterval(keeping);
  }
}

async function readCopy({ copy, log }: FillPlan): Promise<BoardCopy | null> {
  try {
    return await copy();
  } catch (error) {
    log.warn({ err: error }, 'names of polls not read for the nodes');
    return null;
  }
}

/** With the polls of the copy, which are all that belong there. */
async function fillNode(
  node: RedisNode,
  owner: string,
  { polls, batchNoBySlot }: BoardCopy,
  { epoch, generation, isDropped, log }: FillPlan,
): Promise<void> {
  const startedAt = performance.now();
  try {
    await node.clear(owner);
    for (const step of toSteps(polls)) await node.write(owner, step);
    await removeOthers(node, owner, polls);
    await node.finish(owner, { epoch, generation, batchNoBySlot });
    const dropped = [...polls].flatMap(([key, { pollNo }]) => (isDropped(pollNo) ? [key] : []));
    if (dropped.length > 0) await node.remove(dropped);
    log.info({ node: node.name, polls: polls.size, ms: Math.round(performance.now() - startedAt) }, 'node filled');
  } catch (error) {
    log.warn({ err: error, node: node.name }, 'node not filled');
    throw error;
  }
}

/** Takes away everything of ours from a node that is no longer in the ring. */
export async function emptyNode(node: RedisNode, log: Logger): Promise<void> {
  const owner = randomBytes(8).toString('hex');
  const until = performance.now() + emptyMsMax;
  try {
    while (!(await node.lock(owner))) {
      if (performance.now() > until) return;
      await sleep(emptyPauseMs, undefined, { ref: false });
    }
    await node.clear(owner);
    await removeOthers(node, owner, new Map());
    await node.unlock(owner);
  } catch (error) {
    // Nobody asks it any more: what it keeps is out of date and does no harm.
    log.debug({ err: error, node: node.name }, 'node that left not emptied');
  }
}

/** Polls that belong elsewhere, were deleted, or are of another ledger. */
async function removeOthers(node: RedisNode, owner: string, polls: ReadonlyMap<string, unknown>): Promise<void> {
  for await (const keys of node.keys()) {
    const others = keys.filter((key) => !polls.has(key));
    if (others.length > 0)
      await node.write(
        owner,
        others.map((key) => [key, []]),
      );
  }
}

function* toSteps(polls: ReadonlyMap<string, PollCopy>): Generator<[string, Sums][]> {
  let step: [string, Sums][] = [];
  let fields = 0;
  for (const [key, { sums }] of polls) {
    step.push([key, sums]);
    fields += sums.length + 1;
    if (fields < stepFieldsMax) continue;
    yield step;
    step = [];
    fields = 0;
  }
  if (step.length > 0) yield step;
}

function isFulfilledWith(result: PromiseSettledResult<boolean> | undefined, value: boolean): boolean {
  return result?.status === 'fulfilled' && result.value === value;
}
