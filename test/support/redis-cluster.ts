/** A real Redis Cluster for the tests of one file, seen past the board. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, RESP_TYPES } from '@redis/client';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { startRedisCluster, type ClusterServer, type RedisCluster } from '../../scripts/services/redis-cluster.ts';
import { partCount, toPart, toPartKeys } from '../../server/board/node-keys.ts';
import { toClusterSlot } from '../../server/lib/cluster-slot.ts';
import { within } from '../../server/lib/within.ts';
import type { TestRing } from './ring-board.ts';

export type TestCluster = {
  servers(): readonly ClusterServer[];
  /** Some of them, as a setting names them. */
  seeds(): readonly string[];
  /** All keys of the masters, and the address of the master that each is on. */
  keys(pattern: string): Promise<Map<string, string>>;
  hash(key: string): Promise<Record<string, string>>;
  /** The addresses of the masters, with the slots that each has now. */
  masters(): Promise<Map<string, (slot: number) => boolean>>;
  emptyAll(): Promise<void>;
  /** Runs a step on every server that answers, replicas too. */
  onAll<Value>(step: (client: ClusterClient) => Promise<Value>): Promise<Value[]>;
};

export type ClusterClient = Awaited<ReturnType<typeof connectToServer>>;

const answerMsMax = 2_000;
/** Of a connection that a test keeps. */
const silentMsMax = 60_000;

/** Started before the tests of the file, stopped after them. */
export function useRedisCluster(): TestCluster {
  let cluster: RedisCluster | null = null;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-cluster-'));
    cluster = await startRedisCluster(folder);
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const servers = (): readonly ClusterServer[] => cluster?.servers ?? [];
  return { servers, seeds: () => servers().slice(0, 2).map(({ url }) => url), ...look(servers) }; // prettier-ignore
}

function look(servers: () => readonly ClusterServer[]) {
  async function masters(): Promise<Map<string, (slot: number) => boolean>> {
    for (const { url } of servers()) {
      const found = await askOne(url, async (client) => {
        if (!/^cluster_state:ok/mu.test(await client.clusterInfo())) return null;
        return client.clusterSlots();
      }).catch(() => null);
      if (found === null) continue;
      const byUrl = Map.groupBy(found, ({ master }) => `redis://${master.host}:${master.port}`);
      return new Map(
        [...byUrl].map(([each, ranges]) => [each, (slot) => ranges.some(({ from, to }) => from <= slot && slot <= to)]),
      );
    }
    throw new Error('No server of the cluster answers.');
  }

  async function onMasters<Value>(step: (client: ClusterClient, url: string) => Promise<Value>): Promise<Value[]> {
    return Promise.all([...(await masters()).keys()].map((url) => askOne(url, (client) => step(client, url))));
  }

  return {
    masters,
    async keys(pattern: string) {
      const found = await onMasters(async (client, url) =>
        (await client.keys(pattern)).map((key) => [key, url] as const),
      );
      return new Map(found.flat());
    },
    async hash(key: string) {
      const has = [...(await masters())].find(([, hasSlot]) => hasSlot(toClusterSlot(key)));
      return Object.fromEntries(await askOne(has?.[0] ?? '', (client) => client.hGetAll(key)));
    },
    async onAll<Value>(step: (client: ClusterClient) => Promise<Value>) {
      const done = await Promise.allSettled(servers().map(({ url }) => askOne(url, step)));
      return done.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
    async emptyAll() {
      await onMasters((client) => client.flushAll());
    },
  };
}

/** Moves a slot with its keys from its master to another, as `redis-cli --cluster reshard` does. `whileMoving` runs when half of the keys are there. */
export async function moveSlot(
  servers: readonly ClusterServer[],
  slot: number,
  [from, to]: readonly [string, string],
  whileMoving: () => Promise<void>,
): Promise<void> {
  const [source, target] = [await connectToServer(from), await connectToServer(to)];
  const [sourceId, targetId] = [await source.clusterMyId(), await target.clusterMyId()];
  await target.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', sourceId]);
  await source.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', targetId]);
  const keys = await source.clusterGetKeysInSlot(slot, 100_000);
  const { port } = new URL(to);
  for (const [index, key] of keys.entries()) {
    if (index === Math.floor(keys.length / 2)) await whileMoving();
    await source.sendCommand(['MIGRATE', '127.0.0.1', port, key, '0', '5000']);
  }
  // What was written meanwhile.
  for (const key of await source.clusterGetKeysInSlot(slot, 100_000)) {
    await source.sendCommand(['MIGRATE', '127.0.0.1', port, key, '0', '5000', 'REPLACE']);
  }
  for (const client of [target, source])
    await client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'NODE', targetId]);
  for (const { url } of servers.filter(({ url }) => url !== from && url !== to)) {
    await askOne(url, (client) => client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'NODE', targetId])).catch(
      // A replica is told by its master.
      () => undefined,
    );
  }
}

export function toClusterRing({ seeds }: TestCluster, generation = 1): TestRing {
  const stored = { generation, nodes: seeds(), virtualNodes: 0, label: '', parts: partCount };
  return { stored, nodeOf: () => '' };
}

/** The key of a poll in the cluster. */
export function toClusterKey(pollKey: string): string {
  return toPartKeys(toPart(pollKey, partCount)).pollPrefix + pollKey;
}

/** A client of one server, past the cluster. It ends with the test. */
export async function connectToServer(url: string) {
  const client = await openClient(url);
  onTestFinished(() => client.destroy());
  return client;
}

/** One that stands still takes connections, too, and then says nothing. */
async function askOne<Value>(url: string, step: (client: ClusterClient) => Promise<Value>): Promise<Value> {
  const opening = openClient(url);
  try {
    return await within(answerMsMax, opening.then(step));
  } finally {
    opening.then((client) => client.destroy()).catch(() => undefined);
  }
}

async function openClient(url: string) {
  const client = createClient({
    url,
    RESP: 2,
    commandOptions: { typeMapping: { [RESP_TYPES.MAP]: Map } },
    socket: { reconnectStrategy: false, connectTimeout: answerMsMax, socketTimeout: silentMsMax },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
