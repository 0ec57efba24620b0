/**
 * The shared board on Redis nodes, chosen by consistent hashing of the poll's key (hash-ring.ts). Each process looks at every node each second, and is
 * with each of them in one of three states.
 *
 * `ready`: the node's sums and the tail of this process make up what its own board has. Reads are answered from there; at its interval, or
 * when another process asks, what the node lacks is added in one script.
 *
 * `unfit`: the node holds something else. It is filled anew with what this process's board holds (board-copy.ts): at once where its sums are of another ledger or ring, are missing or have
 * gone back; after a moment where another process may still have what this one lacks.
 *
 * `away`: the node did not answer. The next look that is answered says what it has become.
 *
 * In doubt this process's own board answers, which is as new as the node and its tail would be. Therefore reads of one process never go
 * backwards, whichever nodes come and go. See docs/decisions/0014-redis-ring.md.
 */
import { createRecentSet } from '../lib/recent-set.ts';
import type { Logger } from '../lib/logger.ts';
import type { Poll } from '../poll/poll.ts';
import type { CopyParts } from './board-copy.ts';
import type { RedisNode } from './redis-node.ts';
import type { PollNames } from './ring-flush.ts';
import { openRingMembers, type Member, type StoredRing } from './ring-members.ts';
import { addTail, judgePosition, type Known } from './ring-position.ts';
import { createUpkeep, type Upkeep } from './ring-upkeep.ts';
import { boardKeyOf, toOwnTally, type SharedBoard, type SharedTally } from './shared-board.ts';

export type RedisRingParts = PollNames &
  Pick<CopyParts, 'board' | 'now' | 'readNames'> & {
    /** Names the ledger. */
    readonly epoch: string;
    /** The ring as it now stands; null where there is none. */
    readonly readRing: () => Promise<StoredRing | null>;
    readonly log: Logger;
  };

export type RedisRingOptions = {
  readonly ring: StoredRing;
  readonly flushMs: number;
  /** Between two looks at a node. */
  readonly lookMs?: number;
};

const lookMsDefault = 1_000;
const droppedMax = 10_000;

/** Opens the connections, and does not wait for them. */
export function startRedisRing(
  parts: RedisRingParts,
  { ring, flushMs, lookMs = lookMsDefault }: RedisRingOptions,
): SharedBoard {
  const { epoch, board, now, readRing, log } = parts;
  const dropped = createRecentSet<number>(droppedMax);
  const members = openRingMembers(ring, log);
  const known = (): Known => ({ epoch, generation: members.view().generation, board, now });
  const own = (poll: Poll): SharedTally => toOwnTally(board, poll, now());
  const upkeep = createUpkeep({ ...parts, members, known, isDropped: dropped.has }, { flushMs, lookMs });
  const flushNow = async (): Promise<void> => {
    await Promise.all([...members.all()].map(upkeep.bringUp));
  };
  const stopLooking = keepLooking({ readRing, members, look: upkeep.look, log }, lookMs);

  return {
    async read(poll) {
      const key = boardKeyOf(poll);
      const member = members.memberOf(key);
      if (member?.state !== 'ready') return own(poll);
      try {
        const answer = await member.node.read(key);
        return toTally(member, poll, answer, known()) ?? own(poll);
      } catch (error) {
        member.state = 'away';
        log.debug({ err: error, node: member.node.name }, 'node did not answer a read');
        return own(poll);
      }
    },
    nodeStates: () => Array.from(members.all(), ({ state }) => state),
    flushNow,
    drop(poll) {
      const key = boardKeyOf(poll);
      dropped.add(poll.pollNo);
      const removed = members.memberOf(key)?.node.remove([key]);
      removed?.catch((error: unknown) => log.debug({ err: error }, 'deleted poll not removed from its node'));
    },
    async close() {
      await stopLooking();
      await flushNow();
      members.close();
    },
  };
}

/** The node's answer, or null where this process's own board has to give it. */
function toTally(
  member: Member,
  poll: Poll,
  { position, votes }: Awaited<ReturnType<RedisNode['read']>>,
  known: Known,
): SharedTally | null {
  if (judgePosition(position, known) !== 'fits') return null;
  const sums = addTail(poll, votes, position, known);
  if (sums === null) {
    if (known.board.isWhole()) member.doubt ??= { pollNo: poll.pollNo, since: performance.now() };
    return null;
  }
  if (member.doubt?.pollNo === poll.pollNo) member.doubt = null;
  return { votesOf: (optionId) => sums.get(optionId) ?? 0, servedVia: member.node.servedVia };
}

type LookingParts = Pick<RedisRingParts, 'readRing' | 'log'> & {
  readonly members: ReturnType<typeof openRingMembers>;
  readonly look: Upkeep['look'];
};

/** Takes over what the ring has become, and looks at its nodes, again and again. Answers how to stop. */
function keepLooking({ readRing, members, look, log }: LookingParts, lookMs: number): () => Promise<void> {
  let adopting: Promise<void> | null = null;

  async function adopt(): Promise<void> {
    try {
      const stored = await readRing();
      if (stored !== null) members.adopt(stored);
    } catch (error) {
      log.debug({ err: error }, 'ring not read');
    } finally {
      adopting = null;
    }
  }

  function lookAtAll(): void {
    adopting ??= adopt();
    for (const member of members.all()) void look(member);
  }

  const timer = setInterval(lookAtAll, lookMs).unref();
  lookAtAll();
  return async () => {
    clearInterval(timer);
    await adopting;
  };
}
