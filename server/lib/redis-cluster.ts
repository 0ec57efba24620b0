/**
 * A Redis Cluster: what is asked goes to the master that has the key's slot; where that has changed, the answer says so, and is followed.
 * Each second the servers are asked who has what, so a replica that has taken over is found though nobody was redirected to it.
 *
 * Nothing waits for a server: as long as a master is not connected, what belongs to its slots is rejected at once, and the others go on.
 * The cluster client of the library was tried (2026-11-21, 6.3.1): begun while one master is away it stays offline as a whole, or with
 * `minimizeConnections` keeps all that is for this master's slots waiting without limit, even after the replica has taken over.
 */
import { openClusterConnections, type ClusterParts } from './cluster-connections.ts';
import { toClusterSlot } from './cluster-slot.ts';
import { toRedirect, toServerUrl, type ClusterAddress } from './cluster-topology.ts';
import type { RedisClient } from './redis-client.ts';
import type { Secret } from './secret.ts';

export type RedisCluster = {
  /**
   * Runs a step on the connection to the master that has the key's slot; all keys of the step are in this slot. The step sends its
   * first command before it waits for anything. It is run again where the master has changed: what was redirected was not done.
   */
  use<Value>(key: string, step: (client: RedisClient) => Promise<Value>): Promise<Value>;
  /** Runs a step on any connection. */
  useAny<Value>(step: (client: RedisClient) => Promise<Value>): Promise<Value>;
  /** The master that has the key's slot, as far as is known. */
  masterOf(key: string): ClusterAddress | null;
  /** Every server that was heard of, else the seeds, in any order. */
  serverUrls(): readonly Secret[];
  close(): void;
};

const hopsMax = 3;

/** Opens the connections, and does not wait for them. There is at least one seed; all have the same protocol, user and password. */
export function openRedisCluster(seeds: readonly Secret[], parts: ClusterParts): RedisCluster {
  const connections = openClusterConnections(seeds, parts);

  async function follow<Value>(slot: number, step: (client: RedisClient) => Promise<Value>): Promise<Value> {
    let address = connections.masterOf(slot);
    let isAsking = false;
    for (let hops = 0; ; hops += 1) {
      const client = address === undefined ? undefined : connections.readyAt(address);
      if (address === undefined || client === undefined) throw new Error(`${address ?? 'A master'} is not connected.`);
      // It is for the very next command alone.
      if (isAsking) client.sendCommand(['ASKING']).catch(() => undefined);
      try {
        return await step(client);
      } catch (error) {
        const redirect = toRedirect(error, address);
        if (redirect === null || hops === hopsMax) throw error;
        ({ address } = redirect);
        isAsking = !redirect.isLasting;
        if (redirect.isLasting) connections.setMaster(slot, address);
        else connections.open(address);
      }
    }
  }

  return {
    use: (key, step) => follow(toClusterSlot(key), step),
    async useAny(step) {
      const client = connections.anyReady();
      if (client === undefined) throw new Error('No server of the cluster is connected.');
      return step(client);
    },
    masterOf: (key) => connections.masterOf(toClusterSlot(key)) ?? null,
    serverUrls() {
      const known = connections.addresses();
      return known.length === 0 ? seeds : known.map((address) => toServerUrl(seeds, address));
    },
    close: connections.close,
  };
}
