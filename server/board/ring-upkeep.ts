/** Brings the nodes up to date: looks at them, adds what they lack, and has them filled anew where that is not enough. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import { copyBoard, type CopyParts } from './board-copy.ts';
import type { Position } from './redis-node.ts';
import { fillNodes } from './ring-fill.ts';
import { createGathering, type PollNames } from './ring-flush.ts';
import type { Member, RingMembers, RingView } from './ring-members.ts';
import { findBehind, hasMoved, judgePosition, wentBack, type Known, type Standing } from './ring-position.ts';

export type UpkeepParts = PollNames &
  Pick<CopyParts, 'board' | 'now' | 'readNames'> & {
    readonly epoch: string;
    readonly members: RingMembers;
    /** What this process knows at this moment. */
    readonly known: () => Known;
    /** Whether the poll with this number was deleted a moment ago. */
    readonly isDropped: (pollNo: number) => boolean;
    readonly log: Logger;
  };

export type UpkeepOptions = {
  readonly flushMs: number;
  /** Between two looks at a node. */
  readonly lookMs: number;
};

export type Upkeep = {
  /** Looks at a node and does what it takes, but does not wait until it is filled. Never rejects. */
  look(member: Member): Promise<void>;
  /** The same, with everything in the flush that this process has counted, and with the filling where it takes that. */
  bringUp(member: Member): Promise<void>;
};

/** Another process may bring the node on meanwhile, or this one may hear what it missed. */
const patienceMs = 3_000;
const doubtMsMax = 2_000;
/** A node that does not answer for a while finds what it lacks in the tail. */
const awaitedMs = 30_000;

export function createUpkeep(parts: UpkeepParts, { flushMs, lookMs }: UpkeepOptions): Upkeep {
  const { board, members, known, log } = parts;
  const filling = createFilling(parts, look);
  const gather = createGathering(board.tail, parts, parts.isDropped);

  async function lookOnce(member: Member, flushNow: boolean): Promise<void> {
    if (filling.holds(member)) return;
    // As of the look before: a read that is under way may have met a node where it was then.
    forgetFlushed(parts);
    const before = member.position;
    const view = members.view();
    const position = await member.node.position();
    const at = performance.now();
    member.position = position;
    member.seenAt = at;
    if (hasMoved(before, position)) member.flushAt = at + flushMs;
    const standing = judgePosition(position, { ...known(), generation: view.generation });
    member.state = standing === 'fits' ? 'ready' : 'unfit';
    member.unfitSince = standing === 'fits' ? null : (member.unfitSince ?? at);
    if (standing === 'newer') return;
    const reason = findReason(member, standing, before);
    if (reason !== null) {
      filling.ask(member, reason);
      return;
    }
    const isDue = at >= member.flushAt - lookMs / 2;
    if (flushNow || isDue || position.wantedSlots.length > 0) await flush(member, position, view, flushNow);
    // One that failed is tried again at the next look.
    if (isDue) member.flushAt = at + flushMs;
    if (standing === 'behind') await askForFlush(member, position);
  }

  async function askForFlush({ node }: Member, position: Position): Promise<void> {
    const slots = findBehind(position, board).filter((slot) => !position.wantedSlots.includes(slot));
    if (slots.length > 0) await node.askForFlush(slots);
  }

  async function flush(member: Member, position: Position, view: RingView, unsealed: boolean): Promise<void> {
    const { node } = member;
    const gathered = await gather({ position, unsealed, view, nodeName: node.name });
    if (gathered === null) return;
    const startedAt = performance.now();
    const isDone = await node.flush(gathered.flush);
    // Another process was quicker; the next look shows where the node is now.
    if (!isDone) return;
    member.position = { ...position, batchNoBySlot: moveSlots(position, gathered.flush.slots) };
    const { polls, votes } = gathered;
    const ms = Math.round(performance.now() - startedAt);
    if (polls > 0) log.info({ node: node.name, polls, votes, ms }, 'flushed');
  }

  function look(member: Member, flushNow = false): Promise<void> {
    const before = member.looking;
    if (before !== null && !flushNow) return before;
    const looking = (before ?? Promise.resolve())
      .then(() => lookOnce(member, flushNow))
      .catch((error: unknown) => {
        member.state = 'away';
        log.debug({ err: error, node: member.node.name }, 'node not brought up to date');
      })
      .finally(() => {
        if (member.looking === looking) member.looking = null;
      });
    member.looking = looking;
    return looking;
  }

  return {
    look,
    async bringUp(member) {
      await look(member, true);
      if (!filling.holds(member)) return;
      await filling.end();
      await look(member, true);
    },
  };
}

/** Why a node has to be filled anew; null where it has not, or not yet. */
function findReason(
  { unfitSince, doubt, position }: Member,
  standing: Standing,
  before: Position | null,
): string | null {
  const at = performance.now();
  if (standing === 'other') return 'other';
  if (unfitSince !== null && at - unfitSince > patienceMs) return standing;
  if (standing === 'behind' && position !== null && wentBack(before, position)) return 'went back';
  return doubt !== null && at - doubt.since > doubtMsMax ? 'doubted' : null;
}

/** What every node has is not needed any more, unless one may come back for it or is being filled. */
function forgetFlushed({ board, members, known }: UpkeepParts): void {
  const { epoch, generation } = known();
  const at = performance.now();
  const awaited = [...members.all()].filter(({ seenAt }) => at - seenAt < awaitedMs).map(({ position }) => position);
  const positions = awaited.filter((position) => position?.epoch === epoch && position.generation === generation);
  if (positions.length < awaited.length) return;
  board.tail.forgetThrough((slot) => Math.min(...positions.map((position) => position?.batchNoBySlot.get(slot) ?? 0)));
}

function moveSlots(
  { batchNoBySlot }: Position,
  slots: readonly { readonly slot: number; readonly toNo: number }[],
): ReadonlyMap<number, number> {
  const moved = new Map(batchNoBySlot);
  for (const { slot, toNo } of slots) moved.set(slot, toNo);
  return moved;
}

/** Nodes that are found wanting within this time are filled with the same copy. */
const gatherMs = 20;
const pauseMsMin = 500;
const pauseMsMax = 30_000;

type Filling = {
  holds(member: Member): boolean;
  /** Has the node filled, unless it failed a moment ago. */
  ask(member: Member, reason: string): void;
  /** When nothing is being filled. */
  end(): Promise<void>;
};

function createFilling(parts: UpkeepParts, look: (member: Member) => Promise<void>): Filling {
  const { epoch, members, isDropped, log } = parts;
  const copy = () => copyBoard(parts);
  const waiting = new Set<Member>();
  let running: Promise<void> | null = null;

  async function fillAll(): Promise<void> {
    while (waiting.size > 0) {
      await sleep(gatherMs, undefined, { ref: false });
      const batch = [...waiting];
      const startedAt = performance.now();
      const nodes = batch.map(({ node }) => node);
      const filled = await fillNodes(nodes, { ...members.view(), epoch, copy, isDropped, log });
      const at = performance.now();
      // What takes long is not tried again at once, and what another process fills takes its time.
      const pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, 2 * (at - startedAt)));
      for (const member of batch) {
        Object.assign(member, { position: null, doubt: null, unfitSince: null, fillFrom: at });
        waiting.delete(member);
        if (filled.has(member.node)) void look(member);
        else member.fillFrom = at + pauseMs;
      }
    }
  }

  return {
    holds: (member) => waiting.has(member),
    ask(member, reason) {
      member.state = 'unfit';
      if (performance.now() < member.fillFrom) return;
      log.debug({ node: member.node.name, reason }, 'node is to be filled');
      waiting.add(member);
      running ??= fillAll().finally(() => {
        running = null;
      });
    },
    end: () => running ?? Promise.resolve(),
  };
}
