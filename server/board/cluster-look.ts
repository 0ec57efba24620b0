/** What stands in a Redis Cluster now, on connections for this alone. */
import { RESP_TYPES } from '@redis/client';
import { createAbsence } from '../lib/absence.ts';
import { clusterSlotCount, toClusterSlot } from '../lib/cluster-slot.ts';
import {
  hostOf,
  readTopology,
  toClusterAddress,
  toServerUrl,
  type ClusterAddress,
  type ClusterTopology,
} from '../lib/cluster-topology.ts';
import type { Logger } from '../lib/logger.ts';
import { connectToRedis, type RedisClient } from '../lib/redis-client.ts';
import type { Secret } from '../lib/secret.ts';
import { within } from '../lib/within.ts';
import { toPartKeys } from './node-keys.ts';
import { toPosition, type Position } from './redis-node.ts';

export type MasterLook = {
  /** Without credentials. */
  readonly name: string;
  readonly slotCount: number;
  readonly parts: readonly number[];
  /** One for each of its parts; or why it does not tell. */
  readonly found: { readonly positions: readonly Position[]; readonly keyCount: number } | Error;
};

export type ClusterLook = {
  readonly isWell: boolean;
  readonly masters: readonly MasterLook[];
  readonly replicaCount: number;
  /** Slots that no server has. */
  readonly slotsMissing: number;
};

const answerMsMax = 5_000;
const asMaps = { [RESP_TYPES.MAP]: Map } as const;

/** @throws {Error} one line, where none of the seeds answers */
export async function lookAtCluster(seeds: readonly Secret[], parts: number, log: Logger): Promise<ClusterLook> {
  const { topology, replicaCount } = await askSeeds(seeds, log, async (client, host) => ({
    topology: await readTopology(client, host),
    replicaCount: countReplicas(await client.clusterNodes()),
  }));
  const slotCounts = new Map<ClusterAddress, number>();
  for (const { master, from, to } of topology.ranges)
    slotCounts.set(master, (slotCounts.get(master) ?? 0) + to + 1 - from);
  const masters = [...slotCounts].map(async ([address, slotCount]) => {
    const own = Array.from({ length: parts }, (_, part) => part).filter(
      (part) => masterOf(topology, toPartKeys(part).board) === address,
    );
    const found = askServer(seeds, address, log, (client) => readParts(client, own));
    return {
      name: String(toServerUrl(seeds, address)),
      slotCount,
      parts: own,
      found: await found.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    };
  });
  return {
    isWell: topology.isWell,
    masters: (await Promise.all(masters)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    replicaCount,
    slotsMissing: clusterSlotCount - [...slotCounts.values()].reduce((sum, count) => sum + count, 0),
  };
}

/** The slot of a key, and who has it now; null where nobody has. @throws {Error} one line, where none of the seeds answers */
export async function findInCluster(
  seeds: readonly Secret[],
  key: string,
  log: Logger,
): Promise<{ readonly slot: number; readonly node: string | null }> {
  const address = masterOf(await askSeeds(seeds, log, readTopology), key);
  return { slot: toClusterSlot(key), node: address === null ? null : String(toServerUrl(seeds, address)) };
}

/** Runs a step on a connection for this alone. @throws {Error} one line, where the server does not answer */
export async function askServer<Value>(
  seeds: readonly Secret[],
  address: ClusterAddress,
  log: Logger,
  step: (client: RedisClient) => Promise<Value>,
): Promise<Value> {
  const url = toServerUrl(seeds, address);
  const client = await within(
    answerMsMax,
    connectToRedis(url, { absence: createAbsence(), log, silentMsMax: answerMsMax }),
  );
  try {
    return await within(answerMsMax, step(client));
  } finally {
    client.destroy();
  }
}

/** One after the other, until one answers. */
async function askSeeds<Value>(
  seeds: readonly Secret[],
  log: Logger,
  step: (client: RedisClient, host: string) => Promise<Value>,
): Promise<Value> {
  let last: unknown;
  for (const seed of seeds) {
    const address = toClusterAddress(seed);
    try {
      return await askServer(seeds, address, log, (client) => step(client, hostOf(address)));
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** Those that are there. A new one without anything to copy is not among what CLUSTER SLOTS tells. */
function countReplicas(nodes: string): number {
  const flags = nodes.split('\n').map((line) => line.split(' ')[2]?.split(',') ?? []);
  return flags.filter((each) => each.includes('slave') && !each.includes('fail')).length;
}

async function readParts(
  client: RedisClient,
  parts: readonly number[],
): Promise<{ positions: Position[]; keyCount: number }> {
  const mapped = client.withTypeMapping(asMaps);
  const [keyCount, ...fields] = await Promise.all([
    client.dbSize(),
    ...parts.map((part) => mapped.hGetAll(toPartKeys(part).board)),
  ]);
  return { keyCount, positions: fields.map(toPosition) };
}

function masterOf({ ranges }: ClusterTopology, key: string): ClusterAddress | null {
  const slot = toClusterSlot(key);
  return ranges.find(({ from, to }) => from <= slot && slot <= to)?.master ?? null;
}
