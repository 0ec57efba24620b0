/**
 * One node of the shared board: what stands on a Redis, or in a part of a cluster, and the steps that change it. Each step is one script.
 *
 * The position (`hustings:board`, see node-keys.ts) says what the hashes of the polls hold: the ledger's `epoch`, the generation of the `ring`, and for each slot
 * (`slot:<n>`) the last batch whose votes are in. Without it, the polls' hashes mean nothing. Whoever fills a node anew holds its lock
 * in every step of it, so one who was stopped in the middle and comes back later does no harm.
 */
import { RESP_TYPES } from '@redis/client';
import { createAbsence } from '../lib/absence.ts';
import type { Logger } from '../lib/logger.ts';
import { connectToRedis, type RedisClient } from '../lib/redis-client.ts';
import { within } from '../lib/within.ts';
import type { Sums } from './board-copy.ts';
import type { NodeAddress } from './node-address.ts';
import { ringKeys, type NodeKeys } from './node-keys.ts';
import {
  clearScript,
  finishScript,
  flushScript,
  keepScript,
  lockMs,
  slotPrefix,
  unlockScript,
  wantedPrefix,
  writeScript,
} from './node-scripts.ts';
import { openServerWay, silentMsMax, type NodeWay } from './node-way.ts';

export type Position = {
  /** Which ledger the sums are of; empty where there are none. */
  readonly epoch: string;
  /** The generation of the ring by which the polls were placed. */
  readonly generation: number;
  /** The last batch of each slot that is in the sums. */
  readonly batchNoBySlot: ReadonlyMap<number, number>;
  /** Slots where some process cannot go on from here and asks the others to flush. */
  readonly wantedSlots: readonly number[];
};

export type Increment = { readonly key: string; readonly field: string; readonly votes: number };

export type Flush = {
  readonly epoch: string;
  readonly generation: number;
  readonly slots: readonly { readonly slot: number; readonly fromNo: number; readonly toNo: number }[];
  readonly increments: readonly Increment[];
};

export type NodePlace = {
  /** What the ring and the logs call it. */
  readonly name: string;
  /** How answers name it at this moment. */
  readonly servedVia: string;
};

/** Every step rejects where the node does not answer in its time; then nobody knows whether it was done. */
export type RedisNode = NodePlace & {
  position(): Promise<Position>;
  read(key: string): Promise<{ readonly position: Position; readonly votes: ReadonlyMap<string, string> }>;
  /** Adds the increments and moves the slots, unless the node is not where the flush begins. Answers whether it was. */
  flush(flush: Flush): Promise<boolean>;
  askForFlush(slots: readonly number[]): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
  /** Answers whether the lock was free. It is free again by itself after `lockMs` without `keep`. */
  lock(owner: string): Promise<boolean>;
  keep(owner: string): Promise<void>;
  unlock(owner: string): Promise<void>;
  /** From now on the polls' hashes mean nothing. @throws {LockLost} */
  clear(owner: string): Promise<void>;
  /** Replaces the hashes of these polls; one without votes goes. @throws {LockLost} */
  write(owner: string, polls: readonly (readonly [key: string, sums: Sums])[]): Promise<void>;
  /** The keys of all polls that have a hash here, in portions. */
  keys(): AsyncIterable<readonly string[]>;
  /** From now on the polls' hashes hold what the position says; gives the lock back. @throws {LockLost} */
  finish(owner: string, position: Pick<Position, 'epoch' | 'generation' | 'batchNoBySlot'>): Promise<void>;
  close(): void;
};

/** Somebody else may fill the node by now. */
export class LockLost extends Error {
  override name = 'LockLost';
}

/** A reader can do without the node. */
const readMsMax = 200;
const lookMsMax = 500;
/** A script with all votes of ten seconds takes some tens of milliseconds. */
const writeMsMax = 2_000;

/** An object loses the field `__proto__`, and an option may be called that. */
const asMaps = { [RESP_TYPES.MAP]: Map } as const;

/** On a Redis of its own. Does not wait for the connection. */
export function openRedisNode(address: NodeAddress, log: Logger): RedisNode {
  return createRedisNode(address, ringKeys, openServerWay(address, log));
}

export function createRedisNode(place: NodePlace, keys: NodeKeys, way: NodeWay): RedisNode {
  const { board, lock, pollPrefix } = keys;
  const { ask, run, runLocked } = createSteps(place, keys, way);
  return {
    name: place.name,
    // A part of a cluster is on one server now and on another later.
    get servedVia() {
      return place.servedVia;
    },
    position: async () => toPosition(await ask(lookMsMax, (client) => client.withTypeMapping(asMaps).hGetAll(board))),
    async read(key) {
      const poll = pollPrefix + key;
      const [votes, fields] = await ask(readMsMax, (client) =>
        client.withTypeMapping(asMaps).multi().hGetAll(poll).hGetAll(board).execTyped(),
      );
      return { votes, position: toPosition(fields) };
    },
    flush: (flush) => run(flushScript, ...toFlushArguments(keys, flush)),
    async askForFlush(slots) {
      const wanted = Object.fromEntries(slots.map((slot) => [wantedPrefix + slot, 1]));
      await ask(lookMsMax, (client) => client.hSet(board, wanted));
    },
    async remove(names) {
      const hashes = names.map((key) => pollPrefix + key);
      await ask(writeMsMax, (client) => client.unlink(hashes));
    },
    async lock(owner) {
      const expiration = { type: 'PX', value: lockMs } as const;
      return (await ask(lookMsMax, (client) => client.set(lock, owner, { condition: 'NX', expiration }))) === 'OK';
    },
    keep: (owner) => runLocked(keepScript, owner),
    unlock: (owner) => runLocked(unlockScript, owner),
    clear: (owner) => runLocked(clearScript, owner, [board]),
    write(owner, polls) {
      const values = polls.flatMap(([, sums]) => [sums.length, ...sums.flat()].map(String));
      return runLocked(writeScript, owner, polls.map(([key]) => pollPrefix + key), values); // prettier-ignore
    },
    async *keys() {
      for await (const found of way.scan(`${pollPrefix}*`)) {
        yield found.filter((key) => key.startsWith(pollPrefix)).map((key) => key.slice(pollPrefix.length));
      }
    },
    finish(owner, { epoch, generation, batchNoBySlot }) {
      const slots = [...batchNoBySlot].flatMap(([slot, batchNo]) => [`${slotPrefix}${slot}`, String(batchNo)]);
      return runLocked(finishScript, owner, [board], ['epoch', epoch, 'ring', String(generation), ...slots]);
    },
    close: way.close,
  };
}

function createSteps({ name }: NodePlace, { lock }: NodeKeys, way: NodeWay) {
  function ask<Value>(ms: number, step: (client: RedisClient) => Promise<Value>): Promise<Value> {
    return within(ms, way.use(step));
  }

  async function run(script: string, keys: readonly string[], values: readonly (string | number)[]): Promise<boolean> {
    const options = { keys: [...keys], arguments: values.map(String) };
    return (await ask(writeMsMax, (client) => client.eval(script, options))) === 1;
  }

  async function runLocked(
    script: string,
    owner: string,
    keys: readonly string[] = [],
    values: readonly string[] = [],
  ) {
    if (await run(script, [lock, ...keys], [owner, ...values])) return;
    throw new LockLost(`The lock of ${name} was lost.`);
  }

  return { ask, run, runLocked };
}

/** What stands on a node now, on a connection for this alone. @throws {Error} one line, where it does not answer */
export async function lookAtNode(
  { url }: Pick<NodeAddress, 'url'>,
  log: Logger,
): Promise<{ readonly position: Position; readonly keyCount: number }> {
  const client = await within(writeMsMax, connectToRedis(url, { absence: createAbsence(), log, silentMsMax }));
  try {
    const look = client.withTypeMapping(asMaps).multi().hGetAll(ringKeys.board).dbSize().execTyped();
    const [board, keyCount] = await within(writeMsMax, look);
    return { position: toPosition(board), keyCount };
  } finally {
    client.destroy();
  }
}

function toFlushArguments(
  { board, pollPrefix }: NodeKeys,
  { epoch, generation, slots, increments }: Flush,
): [keys: string[], values: (string | number)[]] {
  const byKey = Map.groupBy(increments, ({ key }) => key);
  const moves = slots.flatMap(({ slot, fromNo, toNo }) => [slot, fromNo, toNo]);
  const changes = [...byKey.values()].flatMap((ofPoll) => [
    ofPoll.length,
    ...ofPoll.flatMap(({ field, votes }) => [field, votes]),
  ]);
  return [
    [board, ...[...byKey.keys()].map((key) => pollPrefix + key)],
    [epoch, generation, slots.length, ...moves, ...changes],
  ];
}

export function toPosition(board: ReadonlyMap<string, string>): Position {
  return {
    epoch: board.get('epoch') ?? '',
    generation: Number(board.get('ring') ?? 0),
    batchNoBySlot: new Map(toSlots(board, slotPrefix)),
    wantedSlots: toSlots(board, wantedPrefix).map(([slot]) => slot),
  };
}

function toSlots(board: ReadonlyMap<string, string>, prefix: string): [slot: number, value: number][] {
  return [...board]
    .filter(([field]) => field.startsWith(prefix))
    .map(([field, value]) => [Number(field.slice(prefix.length)), Number(value)]);
}
