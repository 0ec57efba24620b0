/**
 * One node of the shared board: what stands on a Redis, and the steps that change it. Each step is one script, which Redis runs as a whole or not at all.
 *
 * The hash `hustings:board` says what the hashes of the polls hold: the ledger's `epoch`, the generation of the `ring`, and for each slot
 * (`slot:<n>`) the last batch whose votes are in. Without it, the polls' hashes mean nothing. Whoever fills a node anew holds the lock `hustings:rebuild`
 * in every step of it, so one who was stopped in the middle and comes back later does no harm.
 */
import { RESP_TYPES } from '@redis/client';
import { createAbsence } from '../lib/absence.ts';
import type { Logger } from '../lib/logger.ts';
import { connectToRedis, createRedisClient } from '../lib/redis-client.ts';
import { within } from '../lib/within.ts';
import type { Sums } from './board-copy.ts';
import type { NodeAddress } from './node-address.ts';

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

/** Every step rejects where the node does not answer in its time; then nobody knows whether it was done. */
export type RedisNode = NodeAddress & {
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
const silentMsMax = 5_000;
export const lockMs = 5_000;
const scanCount = 1_000;

/** An object loses the field `__proto__`, and an option may be called that. */
const asMaps = { [RESP_TYPES.MAP]: Map } as const;
const boardKey = 'hustings:board';
const lockKey = 'hustings:rebuild';
const pollPrefix = 'poll:';
const slotPrefix = 'slot:';
const wantedPrefix = 'wanted:';

const flushScript = `
local board = KEYS[1]
if redis.call('hget', board, 'epoch') ~= ARGV[1] or redis.call('hget', board, 'ring') ~= ARGV[2] then return 0 end
local last = 3 + 3 * tonumber(ARGV[3])
for at = 4, last, 3 do
  if (redis.call('hget', board, '${slotPrefix}' .. ARGV[at]) or '0') ~= ARGV[at + 1] then return 0 end
end
local at = last + 1
for index = 2, #KEYS do
  for _ = 1, tonumber(ARGV[at]) do
    local done = redis.pcall('hincrby', KEYS[index], ARGV[at + 1], ARGV[at + 2])
    if type(done) == 'table' then
      redis.call('del', board)
      return done
    end
    at = at + 2
  end
  at = at + 1
end
for slot = 4, last, 3 do
  redis.call('hset', board, '${slotPrefix}' .. ARGV[slot], ARGV[slot + 2])
  redis.call('hdel', board, '${wantedPrefix}' .. ARGV[slot])
end
return 1`;

const holdsLock = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[1], ${lockMs})`;
const keepScript = `${holdsLock}
return 1`;
const clearScript = `${holdsLock}
redis.call('del', '${boardKey}')
return 1`;
const writeScript = `${holdsLock}
local at = 2
for index = 2, #KEYS do
  redis.call('unlink', KEYS[index])
  for _ = 1, tonumber(ARGV[at]) do
    redis.call('hset', KEYS[index], ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  at = at + 1
end
return 1`;
const finishScript = `${holdsLock}
redis.call('del', '${boardKey}')
for at = 2, #ARGV, 2 do redis.call('hset', '${boardKey}', ARGV[at], ARGV[at + 1]) end
redis.call('del', KEYS[1])
return 1`;
const unlockScript = `${holdsLock}
redis.call('del', KEYS[1])
return 1`;

export function openRedisNode(address: NodeAddress, log: Logger): RedisNode {
  const client = createRedisClient(address.url, {
    absence: createAbsence(),
    log: toNodeLog(log, address),
    silentMsMax,
  });
  client.connect().catch((error: unknown) => log.debug({ err: error }, 'connection to a node was closed'));

  const mapped = client.withTypeMapping(asMaps);

  async function run(script: string, keys: readonly string[], values: readonly (string | number)[]): Promise<boolean> {
    const options = { keys: [...keys], arguments: values.map(String) };
    return (await within(writeMsMax, client.eval(script, options))) === 1;
  }

  async function runLocked(
    script: string,
    owner: string,
    keys: readonly string[] = [],
    values: readonly string[] = [],
  ) {
    if (await run(script, [lockKey, ...keys], [owner, ...values])) return;
    throw new LockLost(`The lock of ${address.name} was lost.`);
  }

  return {
    ...address,
    position: async () => toPosition(await within(lookMsMax, mapped.hGetAll(boardKey))),
    async read(key) {
      const both = mapped
        .multi()
        .hGetAll(pollPrefix + key)
        .hGetAll(boardKey)
        .execTyped();
      const [votes, board] = await within(readMsMax, both);
      return { votes, position: toPosition(board) };
    },
    flush: (flush) => run(flushScript, ...toFlushArguments(flush)),
    async askForFlush(slots) {
      await within(lookMsMax, client.hSet(boardKey, Object.fromEntries(slots.map((slot) => [wantedPrefix + slot, 1]))));
    },
    async remove(keys) {
      await within(writeMsMax, client.unlink(keys.map((key) => pollPrefix + key)));
    },
    async lock(owner) {
      const expiration = { type: 'PX', value: lockMs } as const;
      return (await within(lookMsMax, client.set(lockKey, owner, { condition: 'NX', expiration }))) === 'OK';
    },
    keep: (owner) => runLocked(keepScript, owner),
    unlock: (owner) => runLocked(unlockScript, owner),
    clear: (owner) => runLocked(clearScript, owner),
    write(owner, polls) {
      const values = polls.flatMap(([, sums]) => [sums.length, ...sums.flat()].map(String));
      return runLocked(writeScript, owner, polls.map(([key]) => pollPrefix + key), values); // prettier-ignore
    },
    async *keys() {
      let cursor = '0';
      do {
        const found = await within(writeMsMax, client.scan(cursor, { MATCH: `${pollPrefix}*`, COUNT: scanCount }));
        yield found.keys.map((key) => key.slice(pollPrefix.length));
        cursor = found.cursor;
      } while (cursor !== '0');
    },
    finish(owner, { epoch, generation, batchNoBySlot }) {
      const slots = [...batchNoBySlot].flatMap(([slot, batchNo]) => [`${slotPrefix}${slot}`, String(batchNo)]);
      return runLocked(finishScript, owner, [], ['epoch', epoch, 'ring', String(generation), ...slots]);
    },
    close: () => client.destroy(),
  };
}

/** What stands on a node now, on a connection for this alone. @throws {Error} one line, where it does not answer */
export async function lookAtNode(
  { url }: Pick<NodeAddress, 'url'>,
  log: Logger,
): Promise<{ readonly position: Position; readonly keyCount: number }> {
  const client = await within(writeMsMax, connectToRedis(url, { absence: createAbsence(), log, silentMsMax }));
  try {
    const look = client.withTypeMapping(asMaps).multi().hGetAll(boardKey).dbSize().execTyped();
    const [board, keyCount] = await within(writeMsMax, look);
    return { position: toPosition(board), keyCount };
  } finally {
    client.destroy();
  }
}

function toFlushArguments({
  epoch,
  generation,
  slots,
  increments,
}: Flush): [keys: string[], values: (string | number)[]] {
  const byKey = Map.groupBy(increments, ({ key }) => key);
  const moves = slots.flatMap(({ slot, fromNo, toNo }) => [slot, fromNo, toNo]);
  const changes = [...byKey.values()].flatMap((ofPoll) => [
    ofPoll.length,
    ...ofPoll.flatMap(({ field, votes }) => [field, votes]),
  ]);
  return [
    [boardKey, ...[...byKey.keys()].map((key) => pollPrefix + key)],
    [epoch, generation, slots.length, ...moves, ...changes],
  ];
}

function toPosition(board: ReadonlyMap<string, string>): Position {
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

/** The same log, whose events say which node they are about. */
function toNodeLog(log: Logger, { name }: NodeAddress): Logger {
  return {
    debug: (facts, event) => log.debug({ ...facts, node: name }, event),
    info: (facts, event) => log.info({ ...facts, node: name }, event),
    warn: (facts, event) => log.warn({ ...facts, node: name }, event),
    error: (facts, event) => log.error({ ...facts, node: name }, event),
  };
}
