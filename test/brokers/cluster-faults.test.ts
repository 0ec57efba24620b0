/** Servers of a Redis Cluster that die, stand still and forget, and slots that move, under load: I5, I6 and I7 of the promises hold all the while. */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { ClusterServer } from '../../scripts/services/redis-cluster.ts';
import { describeRing } from '../../server/commands/ring.ts';
import { parseConfig } from '../../server/config.ts';
import { toClusterSlot } from '../../server/lib/cluster-slot.ts';
import { createRandom, pickSeed } from '../crash/random.ts';
import { get, post } from '../support/http.ts';
import { moveSlot, toClusterKey, useRedisCluster } from '../support/redis-cluster.ts';
import { connectTo, readHashes } from '../support/ring-board.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';
import { startRingLoad, type RingLoad } from './ring-load.ts';

type Field = { readonly server: TestServer; readonly load: RingLoad; readonly random: () => number };

const pollNames = Array.from({ length: 30 }, (_, index) => `event-${index}`);
const patience = { timeout: 40_000, interval: 50 };
const testMsMax = 60_000;
const acknowledgedMin = 100;
const stopMs = 5_000;
const options = { log: pino({ level: 'silent' }), onProgress: () => {}, onLost: () => {} };
const flags = ['--preset', 'live'];
const cluster = useRedisCluster();

async function takeField(): Promise<Field> {
  const seed = pickSeed();
  console.log(`cluster faults with HUSTINGS_CRASH_SEED=${seed}`);
  const databaseUrl = await createDatabase();
  const start = (cacheSeconds: number): Promise<TestServer> =>
    startOn(databaseUrl, flags, {
      REDIS_CLUSTER: cluster.seeds().join(','),
      BATCH_INTERVAL_SECONDS: '1',
      HUSTINGS_RESULT_CACHE_SECONDS: String(cacheSeconds),
    });
  const [plain, caching] = [await start(0), await start(1)];
  const random = createRandom(seed);
  const servers = [
    { url: plain.url, lagMs: 0 },
    { url: caching.url, lagMs: 1_000 },
  ];
  const load = startRingLoad(servers, pollNames, random);
  onTestFinished(load.stop);
  const field = { server: plain, load, random };
  await untilAcknowledged(field);
  await untilServing(field);
  return field;
}

/** So many more votes: a fault strikes servers that are at work. */
async function untilAcknowledged({ load, random }: Field): Promise<void> {
  const countMin = load.acknowledged() + acknowledgedMin + Math.floor(random() * acknowledgedMin);
  await expect.poll(load.acknowledged, patience).toBeGreaterThanOrEqual(countMin);
}

/** Until every poll was answered once by the master that has its slot. A busy machine is slow now and then, and answers from memory. */
async function untilServing({ server }: Pick<Field, 'server'>): Promise<void> {
  const waiting = new Map(pollNames.map((name) => [name, 'not asked']));
  const ask = async (): Promise<string[]> => {
    const masters = [...(await cluster.masters())];
    for (const name of waiting.keys()) {
      const { json } = await get(`${server.url}/api/v1/results/${name}`);
      const { served_via: servedVia } = json as { served_via: string }; // As the contract has it.
      const [url = ''] = masters.find(([, hasSlot]) => hasSlot(toClusterSlot(toClusterKey(name)))) ?? [];
      if (servedVia === `redis_${url.replace(/^.*:/u, '')}`) waiting.delete(name);
      else waiting.set(name, `${servedVia}, not ${url}`);
    }
    return [...waiting].map(([name, why]) => `${name}: ${why}`);
  };
  await expect.poll(() => ask().catch((error: unknown) => String(error)), patience).toEqual([]);
}

async function end(field: Field): Promise<void> {
  await untilAcknowledged(field);
  await field.load.stop();
  await expectEqual(field, await readLedger(field));
  expect(field.load.faults).toEqual([]);
  expect(field.load.servedBy.get('app_cache') ?? 0).toBeGreaterThan(0);
  console.log(`${field.load.acknowledged()} votes, reads ${JSON.stringify([...field.load.servedBy])}`);
}

type Votes = Map<string, Record<string, string>>;

/** The count over the ledger's ballots. */
async function readLedger({ server }: Pick<Field, 'server'>): Promise<Votes> {
  const rows = await server.query<{ name: string; option: string; votes: string }>(`
    select polls.made_as as name, options.id as option, count(*) as votes
    from ballots
    join polls using (poll_no)
    join options on options.poll_no = ballots.poll_no and options.option_no::text = ballots.selections
    group by polls.made_as, options.id`);
  const votes: Votes = new Map();
  for (const { name, option, votes: count } of rows) votes.set(name, { ...votes.get(name), [option]: count });
  return votes;
}

async function expectEqual({ server }: Pick<Field, 'server'>, ledger: Votes): Promise<void> {
  const expected = new Map([...ledger].map(([name, votes]) => [toClusterKey(name), votes] as const));
  await expect.poll(readCluster, patience).toEqual(expected);
  for (const [name, votes] of ledger) {
    const { json } = await get(`${server.url}/api/v1/results/${name}`);
    const { results } = json as { results: Record<string, number> }; // As the contract has it.
    expect(results).toEqual(
      Object.fromEntries(Object.entries(votes).map(([option, count]) => [option, Number(count)])),
    );
  }
}

async function readCluster(): Promise<Votes> {
  const keys = [...(await cluster.keys('poll:*')).keys()];
  return new Map(await Promise.all(keys.map(async (key) => [key, await cluster.hash(key)] as const)));
}

async function pickMaster(random: () => number): Promise<ClusterServer> {
  const masters = [...(await cluster.masters()).keys()];
  const url = masters[Math.floor(random() * masters.length)];
  const server = cluster.servers().find((each) => each.url === url);
  if (server === undefined) throw new Error('The cluster has no master.');
  return server;
}

async function untilReplaced({ url }: ClusterServer): Promise<void> {
  const masters = async (): Promise<string[]> => [
    ...(await cluster.masters().catch(() => new Map([[url, null]]))).keys(),
  ];
  await expect.poll(masters, patience).not.toContain(url);
}

/** Until it follows the one that has taken over, so that the next fault finds a cluster that can bear it. */
async function untilFollowing({ url }: ClusterServer): Promise<void> {
  const client = await connectTo(url);
  await expect.poll(() => client.info('replication'), patience).toContain('master_link_status:up');
}

test(
  'a master that is killed is replaced: all votes are counted once and no result goes back',
  { timeout: testMsMax },
  async () => {
    const field = await takeField();
    for (let round = 0; round < 2; round += 1) {
      await untilAcknowledged(field);
      const master = await pickMaster(field.random);
      await master.kill();
      await untilReplaced(master);
      await untilServing(field);
      await untilAcknowledged(field);
      await master.restart();
      await untilFollowing(master);
    }
    await end(field);
  },
);

test(
  'a master that stands still is replaced, and what it says when it goes on is not taken for news',
  { timeout: testMsMax },
  async () => {
    const field = await takeField();
    const master = await pickMaster(field.random);
    process.kill(master.pid(), 'SIGSTOP');
    onTestFinished(() => void process.kill(master.pid(), 'SIGCONT'));
    await sleep(stopMs);
    await untilReplaced(master);
    process.kill(master.pid(), 'SIGCONT');
    await untilServing(field);
    await untilFollowing(master);
    await end(field);
  },
);

test(
  'slots that move to other masters and masters that are emptied hold the votes of the ledger again',
  { timeout: testMsMax },
  async () => {
    const field = await takeField();
    for (const name of pollNames.slice(0, 3)) {
      const slot = toClusterSlot(toClusterKey(name));
      const masters = [...(await cluster.masters())];
      const from = masters.find(([, hasSlot]) => hasSlot(slot))?.[0] ?? '';
      const to = masters.find(([, hasSlot]) => !hasSlot(slot))?.[0] ?? '';
      await moveSlot(cluster.servers(), slot, [from, to], () => untilAcknowledged(field));
      await untilServing(field);
    }
    await cluster.emptyAll();
    await untilServing(field);
    await end(field);
  },
);

test('a ring becomes a cluster and a ring again while servers run, and what is left is emptied', async () => {
  // The database that redis-ring.test.ts leaves out.
  const nodes = inject('redisUrls').slice(0, 2).map((url) => `${url}/15`); // prettier-ignore
  const clients = await Promise.all(nodes.map(connectTo));
  for (const client of clients) await client.flushDb();
  const databaseUrl = await createDatabase();
  const env = { BATCH_INTERVAL_SECONDS: '1', HUSTINGS_RESULT_CACHE_SECONDS: '0' };
  const server = await startOn(databaseUrl, flags, { ...env, REDIS_NODES: nodes.join(',') });
  const adopt = (choice: Record<string, string>): Promise<string> =>
    describeRing(parseConfig({ argv: [], env: { DATABASE_URL: databaseUrl, ...choice } }), { pollName: undefined, adopt: true }, options); // prettier-ignore
  const voteInAll = async (): Promise<void> => {
    for (const name of pollNames) {
      expect((await post(`${server.url}/api/v1/vote/${name}`, { option_id: 'A' })).status).toBe(200);
    }
  };
  const onNodes = async (): Promise<number> => {
    const found = await Promise.all(clients.map(readHashes));
    return found.reduce((sum, hashes) => sum + hashes.size, 0);
  };
  await voteInAll();
  await expect.poll(onNodes, patience).toBe(pollNames.length);

  const told = await adopt({ REDIS_CLUSTER: cluster.seeds().join(',') });
  expect(told).toMatch(/^Generation 2, 32 parts in a cluster with 3 masters and \d replicas, state ok\.\n/u);
  await voteInAll();
  await untilServing({ server });
  await expectEqual({ server }, await readLedger({ server }));
  await expect.poll(onNodes, patience).toBe(0);

  expect(await adopt({ REDIS_NODES: nodes.join(',') })).toMatch(/^Generation 3, 100 places a node\.\n/u);
  await voteInAll();
  await expect.poll(onNodes, patience).toBe(pollNames.length);
  await expect.poll(async () => (await readCluster()).size, patience).toBe(0);
  const areThree = async (): Promise<boolean> =>
    (await Promise.all(clients.map(readHashes))).every((hashes) => [...hashes.values()].every(({ A }) => A === 3));
  await expect.poll(areThree, patience).toBe(true);
});
