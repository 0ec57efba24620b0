/** `hustings ring`: which Redis node holds a poll, and how the nodes are; of a cluster, which of its servers. */
import { createHashRing } from '../board/hash-ring.ts';
import { toNodeAddress, type NodeAddress } from '../board/node-address.ts';
import { lookAtNode, type Position } from '../board/redis-node.ts';
import type { Config } from '../config.ts';
import { createRingStore, type StoredRing } from '../ledger/ring.ts';
import { Secret } from '../lib/secret.ts';
import { SettingError } from '../lib/setting-table.ts';
import { openLedger, type LedgerOptions } from '../open-ledger.ts';
import { toColumns } from './columns.ts';
import { describeCluster, describePlace } from './ring-cluster.ts';

export type RingRequest = {
  readonly pollName: string | undefined;
  /** Whether the nodes of the settings become those of all servers. */
  readonly adopt: boolean;
};

type Plan = Omit<StoredRing, 'generation'> & { readonly generation?: number };

/** Answers what to print. @throws {Error} one line, where there is no ring or the database does not answer */
export async function describeRing(
  config: Config,
  { pollName, adopt }: RingRequest,
  options: LedgerOptions,
): Promise<string> {
  const plan = await findPlan(config, adopt, options);
  const { parts } = plan;
  if (parts !== null) {
    const log = { ...options.log, warn: options.log.debug.bind(options.log) };
    return pollName === undefined
      ? describeCluster({ ...plan, parts }, log)
      : describePlace({ ...plan, parts }, pollName, log);
  }
  const addresses = plan.nodes.map(toAddress);
  const ring = createHashRing({ ...plan, nodes: addresses });
  if (pollName !== undefined) return ring.nodeOf(pollName);
  const shares = ring.shares();
  const health = await Promise.all(addresses.map((address) => describeHealth(address, options)));
  const rows = addresses.map(({ name, weight }, index) => [
    name,
    `${(100 * (shares.get(name) ?? 0)).toFixed(1)} %`,
    String(weight),
    health[index] ?? '',
  ]);
  const title =
    plan.generation === undefined ? [] : [`Generation ${plan.generation}, ${plan.virtualNodes} places a node.`];
  return [...title, ...toColumns([['node', 'share', 'weight', 'health'], ...rows])].join('\n');
}

async function findPlan(config: Config, adopt: boolean, options: LedgerOptions): Promise<Plan> {
  const chosen = config.ring === null ? null : { ...config.ring, nodes: config.ring.nodes.map((url) => url.reveal()) };
  if (chosen !== null && !adopt) return chosen;
  if (adopt && chosen === null)
    throw new SettingError('--adopt takes the nodes from REDIS_NODES or REDIS_CLUSTER, and neither is set.');
  const ledger = await openLedger(config, { ...options, joins: true });
  try {
    const rings = createRingStore(ledger.pool);
    const stored = chosen === null ? await rings.read() : await rings.propose(chosen);
    if (stored !== null) return stored;
    throw new SettingError(
      'There is no ring: no server on this database was ever started with REDIS_NODES or REDIS_CLUSTER.',
    );
  } finally {
    await ledger.close();
  }
}

function toAddress(node: string): NodeAddress {
  const address = toNodeAddress(new Secret(node));
  if (address === null) throw new Error('The ledger names a node that is no address.');
  return address;
}

async function describeHealth(address: NodeAddress, { log }: LedgerOptions): Promise<string> {
  try {
    const { position, keyCount } = await lookAtNode(address, { ...log, warn: log.debug.bind(log) });
    return describePosition(position, keyCount);
  } catch (error) {
    return `away: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describePosition({ epoch, generation, batchNoBySlot }: Position, keyCount: number): string {
  if (epoch === '') return `not filled, ${keyCount} keys`;
  const batches = [...batchNoBySlot.values()].reduce((sum, batchNo) => sum + batchNo, 0);
  return `filled for ring ${generation}, ${keyCount} keys, ${batches} batches`;
}
