/**
 * The leaderboards in two sorted sets of a Redis, for programs besides this server: `ZRANGE <key> 0 9 REV WITHSCORES` answers the leaders in the
 * server's own order. The server itself answers from memory, which is exact and newer, where these are up to a second old. A read here is quicker than
 * working a leaderboard out anew (2026-11-21: 0.1 ms beside 0.5 to 3.3 ms, `npm run bench -- leaders`), but that is done ten times a second at most.
 *
 * A set holds the options of listed open polls whose results anybody may see, as far as they have votes; the score is the votes. Within a
 * second of a change it is as the board is; a poll that is hidden is gone from it as soon. Only the holder of a lease writes, always the votes
 * themselves and never a difference, so repeats change nothing. After any doubt (a write that failed, keys that are gone, another writer) the sets are written
 * anew beside the old ones and then take their place. Loss: after `keptMs` without a writer they are gone, and never older.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import type { RedisPlace } from '../lib/redis-access.ts';
import type { RedisClient } from '../lib/redis-client.ts';
import { within } from '../lib/within.ts';
import type { Results } from './results.ts';
import type { TallyWindow } from './tally-board.ts';
import { createWrittenSet, type MemberChanges } from './written-set.ts';

export type RedisLeaderboardParts = {
  readonly place: RedisPlace;
  /** What belongs to one installation is not seen by another on the same Redis. */
  readonly installation: string;
  readonly results: Pick<Results, 'eachStanding'>;
  /** The last batch of each slot that the results hold. */
  readonly batchNos: () => ReadonlyMap<number, number>;
  readonly log: Logger;
};

export type RedisLeaderboard = { stop(): Promise<void> };

const windows: readonly TallyWindow[] = ['all', 'last_ten_minutes'];
const tickMs = 1_000;
const leaseMs = 5_000;
const keptMs = 60_000;
const answerMsMax = 2_000;
const silentMsMax = 5_000;
const membersPerWrite = 1_000;
const slotPrefix = 'slot:';

/** Every step begins so: whoever has lost the lease writes nothing any more. */
const holdsLease = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[1], ${leaseMs})`;
const takeScript = `
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ${leaseMs}) then return 1 end
${holdsLease}
return 1`;
/** KEYS: lease, set. ARGV: owner, how many to add, (votes, member)…, members to remove. */
const writeScript = `${holdsLease}
local last = 2 + 2 * tonumber(ARGV[2])
for at = 3, last, 2 do redis.call('zadd', KEYS[2], ARGV[at], ARGV[at + 1]) end
for at = last + 1, #ARGV do redis.call('zrem', KEYS[2], ARGV[at]) end
redis.call('pexpire', KEYS[2], ${keptMs})
return 1`;
const placeScript = `${holdsLease}
if redis.call('exists', KEYS[2]) == 1 then redis.call('rename', KEYS[2], KEYS[3]) else redis.call('del', KEYS[3]) end
return 1`;
const dropScript = `${holdsLease}
redis.call('del', KEYS[2])
return 1`;
/** KEYS: lease, state, sets. ARGV: owner, then the fields of the state. */
const stampScript = `${holdsLease}
redis.call('del', KEYS[2])
for at = 2, #ARGV, 2 do redis.call('hset', KEYS[2], ARGV[at], ARGV[at + 1]) end
for index = 2, #KEYS do redis.call('pexpire', KEYS[index], ${keptMs}) end
return 1`;
const releaseScript = `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end return 1`;

/** Never rejects, and nothing waits for it: without the Redis there are no leaderboards there, and that is all. */
export async function openRedisLeaderboard(parts: RedisLeaderboardParts): Promise<RedisLeaderboard> {
  const { place, installation, log } = parts;
  const { openRedisAccess } = await import('../lib/redis-access.ts');
  const redis = openRedisAccess(place, { log, silentMsMax });
  // In a cluster the tag keeps all of them in one slot.
  const key = place.kind === 'cluster' ? `hustings:{${installation}}:leaders` : `hustings:${installation}:leaders`;
  const ask: Ask = (step) => within(answerMsMax, redis.use(key, step));
  const writer = createWriter(ask, key, parts);
  let stopped = false;
  let ticking: Promise<void> = Promise.resolve();

  async function tick(): Promise<void> {
    const startedAt = performance.now();
    try {
      await writer.write();
    } catch (error) {
      writer.doubt();
      log.debug({ err: error }, 'leaderboards not written to Redis');
    }
    if (!stopped) schedule(tickMs - (performance.now() - startedAt));
  }

  let timer: NodeJS.Timeout;
  function schedule(waitMs: number): void {
    timer = setTimeout(() => (ticking = tick()), Math.max(0, waitMs)).unref();
  }

  schedule(0);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await ticking;
      await writer.release().catch((error: unknown) => log.debug({ err: error }, 'lease kept until its end'));
      redis.close();
    },
  };
}

type Ask = <Value>(step: (client: RedisClient) => Promise<Value>) => Promise<Value>;

function createWriter(ask: Ask, key: string, { results, batchNos }: RedisLeaderboardParts) {
  const owner = randomUUID();
  const leaseKey = `${key}:lease`;
  const sets = new Map(windows.map((window) => [window, createWrittenSet()]));
  /** Whether what is known to be written is there. */
  let isCertain = false;

  async function run(script: string, keys: readonly string[], values: readonly string[] = []): Promise<boolean> {
    const options = { keys: [leaseKey, ...keys], arguments: [owner, ...values] };
    return (await ask((client) => client.eval(script, options))) === 1;
  }

  /** @throws {Error} where somebody else writes now, or nobody knows whether it was done */
  async function runHolding(script: string, keys: readonly string[], values: readonly string[] = []): Promise<void> {
    if (!(await run(script, keys, values))) throw new Error('The lease was lost.');
  }

  async function change(set: string, { votes, gone }: MemberChanges): Promise<void> {
    for (let at = 0; at < votes.length; at += membersPerWrite) {
      const some = votes.slice(at, at + membersPerWrite);
      await runHolding(
        writeScript,
        [set],
        [String(some.length), ...some.flatMap(([member, count]) => [String(count), member])],
      );
    }
    for (let at = 0; at < gone.length; at += membersPerWrite) {
      await runHolding(writeScript, [set], ['0', ...gone.slice(at, at + membersPerWrite)]);
    }
  }

  /** Beside the old set, which is read meanwhile. */
  async function writeAnew(set: string, changes: MemberChanges): Promise<void> {
    await runHolding(dropScript, [`${set}:next`]);
    await change(`${set}:next`, changes);
    await runHolding(placeScript, [`${set}:next`, set]);
  }

  /** Another process may have written what this one has not heard of yet: then it goes on a moment later. */
  async function isAhead(): Promise<boolean> {
    const state = await ask((client) => client.hGetAll(key));
    const known = batchNos();
    return Object.entries(state).some(
      ([field, batchNo]) =>
        field.startsWith(slotPrefix) && Number(batchNo) > (known.get(Number(field.slice(slotPrefix.length))) ?? 0),
    );
  }

  return {
    async write(): Promise<void> {
      if (!(await run(takeScript, []))) {
        isCertain = false;
        return;
      }
      if (!isCertain || (await ask((client) => client.exists(key))) === 0) {
        isCertain = false;
        for (const set of sets.values()) set.forget();
        if (await isAhead()) return;
      }
      // Without a pause in between: the sets show exactly the batches that the state names.
      const state = [...batchNos()].flatMap(([slot, batchNo]) => [`${slotPrefix}${slot}`, String(batchNo)]);
      const changed = [...sets].map(
        ([window, written]) =>
          [`${key}:${window}`, written.takeChanges((visit) => results.eachStanding(window, visit))] as const,
      );
      for (const [set, changes] of changed) await (isCertain ? change : writeAnew)(set, changes);
      await runHolding(stampScript, [key, ...changed.map(([set]) => set)], ['writer', owner, ...state]);
      isCertain = true;
    },
    doubt() {
      isCertain = false;
    },
    release: () => run(releaseScript, []),
  };
}
