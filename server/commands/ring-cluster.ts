/** What `hustings ring` says of a Redis Cluster. */
import { findInCluster, lookAtCluster, type MasterLook } from '../board/cluster-look.ts';
import { toPart, toPartKeys } from '../board/node-keys.ts';
import type { StoredRing } from '../ledger/ring.ts';
import type { Logger } from '../lib/logger.ts';
import { Secret } from '../lib/secret.ts';
import { toColumns } from './columns.ts';

type ClusterPlan = Pick<StoredRing, 'nodes'> & { readonly parts: number; readonly generation?: number };

/** Server, slot and key of a poll. @throws {Error} one line, where the cluster does not answer */
export async function describePlace({ nodes, parts }: ClusterPlan, pollName: string, log: Logger): Promise<string> {
  const key = toPartKeys(toPart(pollName, parts)).pollPrefix + pollName;
  const { slot, node } = await findInCluster(toSeeds(nodes), key, log);
  return `${node ?? 'no server'}  slot ${slot}  ${key}`;
}

/** The masters, their parts and how they are. @throws {Error} one line, where the cluster does not answer */
export async function describeCluster({ nodes, parts, generation }: ClusterPlan, log: Logger): Promise<string> {
  const { isWell, masters, replicaCount, slotsMissing } = await lookAtCluster(toSeeds(nodes), parts, log);
  const title = [
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    `${parts} parts in a cluster with ${masters.length} masters and ${replicaCount} replicas`,
    isWell ? 'state ok' : 'state fail',
    ...(slotsMissing === 0 ? [] : [`${slotsMissing} slots are on no server`]),
  ].join(', ');
  const rows = masters.map((master) => [
    master.name,
    String(master.slotCount),
    toRanges(master.parts),
    toHealth(master),
  ]);
  return [
    `${title[0]?.toUpperCase()}${title.slice(1)}.`,
    ...toColumns([['node', 'slots', 'parts', 'health'], ...rows]),
  ].join('\n');
}

function toSeeds(nodes: readonly string[]): Secret[] {
  return nodes.map((node) => new Secret(node));
}

function toHealth({ found, parts }: MasterLook): string {
  if (found instanceof Error) return `away: ${found.message}`;
  const filled = found.positions.filter(({ epoch }) => epoch !== '');
  const generations = [...new Set(filled.map(({ generation }) => generation))].toSorted((a, b) => a - b);
  const all = filled.length === parts.length ? '' : `${filled.length} of ${parts.length} parts `;
  const state = filled.length === 0 ? 'not filled' : `${all}filled for ring ${generations.join(' and ')}`;
  return `${state}, ${found.keyCount} keys`;
}

/** `0-3 7 9-10` */
function toRanges(numbers: readonly number[]): string {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  const ends = numbers.filter((number) => !numbers.includes(number + 1));
  return starts.map((start, index) => (start === ends[index] ? String(start) : `${start}-${ends[index]}`)).join(' ');
}
