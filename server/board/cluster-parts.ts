/**
 * The shared board in a Redis Cluster: cut into a fixed number of parts, each of which is a node for all that brings nodes up to date. All keys of a
 * part are in one slot, by their tag, so one script can change them, and they move together when the cluster moves the slot.
 */
import { toClusterSlot } from '../lib/cluster-slot.ts';
import type { Logger } from '../lib/logger.ts';
import { openRedisCluster, type RedisCluster } from '../lib/redis-cluster.ts';
import type { Secret } from '../lib/secret.ts';
import { within } from '../lib/within.ts';
import { toPartKeys, toPartName } from './node-keys.ts';
import { scanCount, scanMsMax, silentMsMax, type NodeWay } from './node-way.ts';
import { createRedisNode, type RedisNode } from './redis-node.ts';

/** Opens parts of one cluster over the same connections, which are made for the first of them and end with the last. */
export function createPartOpener(seeds: readonly Secret[], log: Logger): (part: number) => RedisNode {
  let shared: { readonly cluster: RedisCluster; users: number } | null = null;
  return (part) => {
    shared ??= { cluster: openRedisCluster(seeds, { log, silentMsMax }), users: 0 };
    shared.users += 1;
    const { cluster } = shared;
    const leave = (): void => {
      if (shared === null) return;
      shared.users -= 1;
      if (shared.users > 0) return;
      cluster.close();
      shared = null;
    };
    return openPart(part, cluster, leave);
  };
}

function openPart(part: number, cluster: RedisCluster, leave: () => void): RedisNode {
  const keys = toPartKeys(part);
  const place = {
    name: toPartName(part),
    get servedVia() {
      return `redis_${cluster.masterOf(keys.board)?.replace(/^.*:/u, '') ?? 'cluster'}`;
    },
  };
  return createRedisNode(place, keys, { ...openPartWay(keys.board, cluster), close: leave });
}

/** The cluster lists a slot's keys without going through all others. Within a slot there are few enough to be told at once. */
function openPartWay(anyKey: string, cluster: RedisCluster): Omit<NodeWay, 'close'> {
  const slot = toClusterSlot(anyKey);
  return {
    use: (step) => cluster.use(anyKey, step),
    async *scan() {
      const listing = cluster.use(anyKey, async (client) =>
        client.clusterGetKeysInSlot(slot, await client.clusterCountKeysInSlot(slot)),
      );
      const found = await within(scanMsMax, listing);
      for (let at = 0; at < found.length; at += scanCount) yield found.slice(at, at + scanCount);
    },
  };
}
