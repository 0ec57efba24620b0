/** What the doctor asks a Redis Cluster: whether it serves, and each master how it keeps what it has. */
import { askServer, lookAtCluster, type MasterLook } from '../../board/cluster-look.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Secret } from '../../lib/secret.ts';
import { fail, ok, toReason, warn, type Finding } from './finding.ts';
import { describeEviction } from './eviction.ts';

const area = 'redis cluster';

export async function checkCluster(seeds: readonly Secret[], parts: number, log: Logger): Promise<Finding[]> {
  try {
    const look = await lookAtCluster(seeds, parts, log);
    const masters = await Promise.all(look.masters.map((master) => checkMaster(seeds, master, log)));
    return [checkState(look), ...masters];
  } catch (error) {
    return [fail(area, `${toReason(error)}. Start it, or correct REDIS_CLUSTER.`)];
  }
}

function checkState({
  isWell,
  masters,
  replicaCount,
  slotsMissing,
}: Awaited<ReturnType<typeof lookAtCluster>>): Finding {
  const shown = `${masters.length} masters and ${replicaCount} replicas`;
  const missing = slotsMissing === 0 ? '' : `, ${slotsMissing} slots are on no server`;
  if (!isWell || slotsMissing > 0) {
    return fail(
      area,
      `${shown}, but cluster_state is ${isWell ? 'ok' : 'fail'}${missing}. Run "redis-cli --cluster check" and "redis-cli --cluster fix" against one of its servers.`,
    );
  }
  if (replicaCount < masters.length) {
    return warn(
      area,
      `cluster_state is ok, ${shown}: a master without a replica takes its part of the results with it. Add one with "redis-cli --cluster add-node … --cluster-slave".`,
    );
  }
  return ok(area, `cluster_state is ok, ${shown}, each slot on one.`);
}

async function checkMaster(seeds: readonly Secret[], { name, found }: MasterLook, log: Logger): Promise<Finding> {
  if (found instanceof Error) return fail(area, `${name}: ${toReason(found)}. Start it, or have a replica take over.`);
  const filled = found.positions.filter(({ epoch }) => epoch !== '').length;
  const shown = `${name} answers, ${filled} of ${found.positions.length} parts filled, ${found.keyCount} keys`;
  try {
    return await askServer(seeds, name.replace(/^.*\/\//u, ''), log, (client) => describeEviction(client, area, shown));
  } catch (error) {
    return fail(area, `${name}: ${toReason(error)}.`);
  }
}
