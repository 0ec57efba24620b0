/** A Redis Cluster of six servers on this machine: three masters with a third of the slots each, and a replica of each. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { withGuard, type Guard } from './guard.ts';
import { findFreePort } from './ports.ts';
import { startRedis, type RedisService } from './redis.ts';

export type ClusterServer = RedisService & {
  readonly port: number;
  /** What the cluster calls it. */
  readonly id: string;
};

export type RedisCluster = {
  /** The three that began as masters, then their replicas in the same order. After faults others may be masters. */
  readonly servers: readonly ClusterServer[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
};

export type RedisClusterOptions = {
  readonly guard?: Guard | undefined;
  /** How long a server must be silent before it counts as gone. */
  readonly nodeTimeoutMs?: number;
  /** What clients and the servers themselves have to say. */
  readonly password?: string;
};

type Client = Awaited<ReturnType<typeof connect>>;

const masterCount = 3;
const slotCount = 16_384;
const nodeTimeoutMsDefault = 1_000;
const readyMsMax = 60_000;
const checkMs = 50;

/** Resolves when every slot has a master and every master its replica. */
export async function startRedisCluster(folder: string, options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { guard: given } = options;
  return withGuard<RedisCluster>(folder, given, async (guard) => {
    const started: RedisService[] = [];
    const stop = async (): Promise<void> => {
      await Promise.all(started.map((server) => server.stop()));
    };
    try {
      for (let index = 0; index < 2 * masterCount; index += 1) {
        started.push(await startServer(path.join(folder, String(index + 1)), guard, options));
      }
      const ids = await join(started.map(({ url }) => url));
      const servers = started.map((server, index) => ({ ...server, port: portOf(server.url), id: ids[index] ?? '' }));
      return { servers, urls: servers.map(({ url }) => url), stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

async function startServer(
  folder: string,
  guard: Guard,
  { nodeTimeoutMs = nodeTimeoutMsDefault, password }: RedisClusterOptions,
): Promise<RedisService> {
  const settings = {
    ...(password === undefined ? {} : { requirepass: password, masterauth: password }),
    'cluster-enabled': 'yes',
    'cluster-node-timeout': String(nodeTimeoutMs),
    // Replicas come in at once: nothing is ever written that they would have to wait for.
    'repl-diskless-sync-delay': '0',
  };
  const server = await startRedis(folder, { guard, settings, clusterPort: await findFreePort() });
  return password === undefined ? server : { ...server, url: server.url.replace('//', `//:${password}@`) };
}

/** Makes one cluster of them. Answers the id of each. */
async function join(urls: readonly string[]): Promise<string[]> {
  const clients = await Promise.all(urls.map(connect));
  try {
    const ids = await Promise.all(clients.map((client) => client.clusterMyId()));
    await Promise.all(clients.map((client, index) => client.clusterSetConfigEpoch(index + 1)));
    await Promise.all(clients.slice(0, masterCount).map(takeSlots));
    const [first, ...others] = clients;
    await Promise.all(others.map((client) => meet(client, urls[0] ?? '', first)));
    await until(async () => (await Promise.all(clients.map(countKnown))).every((known) => known === clients.length));
    const replicas = clients.slice(masterCount);
    await Promise.all(replicas.map((client, index) => client.clusterReplicate(ids[index] ?? '')));
    await until(async () => (await Promise.all(clients.map(isWell))).every(Boolean));
    return ids;
  } finally {
    for (const client of clients) client.destroy();
  }
}

async function connect(url: string) {
  const client = createClient({ url, RESP: 2 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function takeSlots(client: Client, index: number): Promise<void> {
  const [start, end] = [index, index + 1].map((third) => Math.ceil((third * slotCount) / masterCount));
  await client.clusterAddSlotsRange({ start: start ?? 0, end: (end ?? 0) - 1 });
}

/** The port of the bus has to be told where it is not the usual one. */
async function meet(client: Client, url: string, other: Client | undefined): Promise<void> {
  const [, busPort] = await Promise.resolve(other?.configGet('cluster-port')).then(
    (settings) => Object.entries(settings ?? {})[0] ?? [],
  );
  await client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(portOf(url)), busPort ?? '']);
}

async function countKnown(client: Client): Promise<number> {
  const lines = (await client.clusterNodes()).trim().split('\n');
  return lines.filter((line) => !line.includes('handshake')).length;
}

async function isWell(client: Client): Promise<boolean> {
  const [state, replication, nodes] = await Promise.all([
    client.clusterInfo(),
    client.info('replication'),
    client.clusterNodes(),
  ]);
  const isLinked = !replication.includes('role:slave') || replication.includes('master_link_status:up');
  const replicaCount = nodes.split('\n').filter((line) => line.includes('slave')).length;
  return state.includes('cluster_state:ok') && isLinked && replicaCount === masterCount;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + readyMsMax;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`The Redis Cluster was not ready within ${readyMsMax} ms.`);
    await pause(checkMs);
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
