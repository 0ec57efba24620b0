/** What servers share in a Redis Cluster besides the board: the bus, limits and leaderboards; and what the doctor says of it. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { diagnose } from '../../server/commands/doctor.ts';
import { parseConfig } from '../../server/config.ts';
import { toClusterSlot } from '../../server/lib/cluster-slot.ts';
import { Secret } from '../../server/lib/secret.ts';
import { createRateLimits } from '../../server/ops/rate-limits.ts';
import type { RateLimits } from '../../server/ops/rate-limit.ts';
import { openSharedMemory } from '../../server/ops/shared-memory.ts';
import {
  castAt,
  describeBus,
  expectAllShow,
  expectStreamsReach,
  followAt,
  patience,
  startServers,
  type TestBus,
} from '../support/describe-bus.ts';
import { describeRateLimits } from '../support/describe-rate-limit.ts';
import { createPoll, post } from '../support/http.ts';
import { connectToServer, useRedisCluster } from '../support/redis-cluster.ts';
import { createDatabase, startOn } from '../support/server.ts';

const log = pino({ level: 'silent' });
const cluster = useRedisCluster();
const toEnv = () => ({ REDIS_CLUSTER: cluster.seeds().join(',') });

async function openBus(): Promise<TestBus> {
  return {
    flags: ['--bus', 'redis'],
    env: toEnv(),
    cut: () => cluster.onAll((client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])),
  };
}

describeBus('a Redis Cluster', openBus);

test('when the server of the cluster that is listened to dies, another one brings the news', async () => {
  const servers = await startServers(await openBus(), 3);
  const poll = await createPoll(servers[0].url, { electorate: 'open' });
  const streams = await followAt(servers, poll);
  const load = castAt(servers, poll);
  await load.more(50);
  const listened = await findListened();
  await listened.kill();
  await load.more(50);
  await expect.poll(countListeners, patience).toBe(servers.length);
  await load.more(50);
  await listened.restart();
  const total = await load.stop();
  await expectAllShow(servers, poll, total);
  await expectStreamsReach(streams, total);
  const client = await connectToServer(listened.url);
  await expect.poll(() => client.clusterInfo(), patience).toContain('cluster_state:ok');
});

/** The connections that listen to the bus, on all servers together. */
async function countListeners(): Promise<number> {
  const counts = await cluster.onAll(async (client) => countOn(await client.sendCommand(['CLIENT', 'LIST'])));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function findListened() {
  const servers = await Promise.all(
    cluster.servers().map(async (server) => {
      const client = await connectToServer(server.url);
      return { server, count: countOn(await client.sendCommand(['CLIENT', 'LIST', 'TYPE', 'pubsub'])) };
    }),
  );
  const [most] = servers.toSorted((a, b) => b.count - a.count);
  if (most === undefined || most.count === 0) throw new Error('Nobody listens.');
  return most.server;
}

function countOn(list: unknown): number {
  return [...String(list).matchAll(/ sub=1 /gu)].length;
}

async function openLimits(installation = randomBytes(8).toString('hex')): Promise<RateLimits> {
  const place = { kind: 'cluster', seeds: cluster.seeds().map((url) => new Secret(url)) } as const;
  const memory = await openSharedMemory({ place, installation, log });
  onTestFinished(memory.close);
  const answers = (): Promise<boolean> =>
    memory.read('anything').then(
      () => true,
      () => false,
    );
  await expect.poll(answers, patience).toBe(true);
  return createRateLimits({ memory, log });
}

describeRateLimits('in a Redis Cluster', () => openLimits());

test('servers on a cluster keep their leaderboards there, all in one slot', async () => {
  await cluster.emptyAll();
  const databaseUrl = await createDatabase();
  const start = () => startOn(databaseUrl, ['--preset', 'none'], toEnv());
  const [one, two] = [await start(), await start()];
  const poll = await createPoll(one.url, { electorate: 'open' });
  for (const selection of ['1', '2', '2']) {
    await post(`${two.url}/api/v1/polls/${poll.id}/ballots`, { selections: [selection] });
  }
  const keys = async (): Promise<string[]> => [...(await cluster.keys('hustings:{*}:leaders:all')).keys()];
  await expect.poll(async () => (await keys()).length, patience).toBe(1);
  const [key = ''] = await keys();
  const read = async () => {
    const found = await cluster.onAll((client) => client.zRangeWithScores(key, 0, 9, { REV: true }).catch(() => []));
    return found.flat().map(({ value, score }) => [value.split(' ').slice(1).join(' '), score]);
  };
  await expect.poll(read, patience).toEqual([[`${poll.id} 2`, 2], [`${poll.id} 1`, 1]]); // prettier-ignore
  expect(new Set([...(await cluster.keys('hustings:{*}:leaders*')).keys()].map(toClusterSlot)).size).toBe(1);
});

test('the doctor says in a line each how the cluster and its masters are, and what to change', async () => {
  const ask = async (seeds: string): Promise<string[]> => {
    const env = { DATABASE_URL: inject('postgresUrl'), REDIS_CLUSTER: seeds };
    const { report } = await diagnose(parseConfig({ argv: ['--port', '0'], env }), log);
    return report.split('\n').filter((line) => line.includes(' redis'));
  };
  const [state, ...masters] = await ask(toEnv().REDIS_CLUSTER);
  expect(state).toBe('ok   redis cluster: cluster_state is ok, 3 masters and 3 replicas, each slot on one.');
  expect(masters).toHaveLength(3);
  for (const line of masters) {
    expect(line).toMatch(
      /^ok {3}redis cluster: redis:\/\/127\.0\.0\.1:\d+ answers, .* parts filled, \d+ keys, and evicts nothing\.$/u,
    );
  }
  const [master] = (await cluster.masters()).keys();
  const client = await connectToServer(master ?? '');
  await client.configSet({ maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' });
  const lines = await ask(toEnv().REDIS_CLUSTER);
  await client.configSet({ maxmemory: '0', 'maxmemory-policy': 'noeviction' });
  expect(lines.find((line) => line.includes(master ?? ''))).toMatch(/^warn .*maxmemory-policy noeviction/u);
  const [node = ''] = inject('redisUrls');
  expect(await ask(node)).toEqual([expect.stringMatching(/^FAIL redis cluster: .*REDIS_CLUSTER\.$/u)]);
  expect(await ask('redis://127.0.0.1:1')).toEqual([expect.stringMatching(/^FAIL redis cluster: .*REDIS_CLUSTER\.$/u)]);
});
