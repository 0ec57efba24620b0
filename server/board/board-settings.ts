/** The settings about the shared board. */
import { count, optional, redisUrl, type Kind } from '../lib/setting-kinds.ts';
import type { RedisPlace } from '../lib/redis-access.ts';
import type { Secret } from '../lib/secret.ts';
import { group, SettingError, type ValuesOf } from '../lib/setting-table.ts';
import { toClusterSeeds } from './cluster-seeds.ts';
import { toNodeAddress } from './node-address.ts';
import { partCount } from './node-keys.ts';

const nodesMax = 64;

/** Several of them, with commas. */
const redisUrls: Kind<readonly Secret[]> = {
  placeholder: 'LIST',
  takes:
    '`redis://HOST:PORT` with commas between several of them, each with `?weight=2` or `?as=7000` behind it if need be',
  redact: () => '***',
  parse(given) {
    const urls = given.split(',').map((each) => redisUrl.parse(each.trim()));
    const known = urls.filter((url) => url !== undefined);
    return known.length === urls.length && urls.length <= nodesMax ? known : undefined;
  },
};

/** Servers of one Redis Cluster. */
const clusterUrls: Kind<readonly Secret[]> = {
  ...redisUrls,
  takes:
    '`redis://USER:PASSWORD@HOST:PORT` with commas between several of them, all with the same user, password and protocol',
};

const ringLabel: Kind<string> = {
  placeholder: 'TEXT',
  takes: 'a text of at most 255 characters with {node} and {i} in it',
  parse: (given) =>
    given.length <= 255 && given.includes('{node}') && given.includes('{i}') && !/\p{Cc}/u.test(given)
      ? given
      : undefined,
};

export const boardSettings = {
  ...group('Results on Redis nodes', {
    redisNodes: {
      env: 'REDIS_NODES',
      kind: optional(redisUrls),
      default: undefined,
      otherwise: 'none: each process answers from its memory',
      example: 'redis://localhost:7000,redis://localhost:7001',
      doc: 'The Redis nodes that hold the votes of polls, also of those whose results are hidden. Keys that begin with `poll:` or `hustings:` in them belong to the server, which removes what it does not know. A server that is started with other nodes changes them for all that run; what is behind `weight` is the share of a node, and `as` the port by which answers name it.',
    },
    redisCluster: {
      env: 'REDIS_CLUSTER',
      kind: optional(clusterUrls),
      default: undefined,
      otherwise: 'none',
      example: 'redis://localhost:7000,redis://localhost:7001',
      doc: 'One or more servers of a Redis Cluster, which holds the votes of polls in the place of `REDIS_NODES`. The server finds the others, at the addresses that the cluster itself announces, and goes where slots and masters go. The keys are `poll:{PART}:ID`. Where `REDIS_URL` is not set, the cluster serves for all that it does but the queue.',
    },
    virtualNodes: {
      env: 'VIRTUAL_NODES',
      kind: count({ unit: 'places', min: 1, max: 10_000 }),
      default: 100,
      doc: 'At how many places of the hash ring each node stands.',
    },
    ringLabel: {
      env: 'HUSTINGS_RING_LABEL',
      kind: ringLabel,
      default: '{node}#{i}',
      example: '"{node}#{i}"',
      doc: 'What names a place of a node on the ring. Its MD5 is the place; change it where other programs compute the nodes with another one.',
    },
    batchIntervalSeconds: {
      env: 'BATCH_INTERVAL_SECONDS',
      kind: count({ unit: 'seconds', min: 1, max: 3_600 }),
      default: 10,
      doc: 'How often votes are brought to the nodes. They are durable in the ledger long before, and reads add what is still on its way.',
    },
    resultCacheSeconds: {
      env: 'HUSTINGS_RESULT_CACHE_SECONDS',
      kind: count({ unit: 'seconds', min: 0, max: 3_600 }),
      default: 5,
      doc: 'How old an answer of a node may be that a process gives again. 0 for always asking.',
    },
  }),
};

export type BoardSettings = ValuesOf<typeof boardSettings>;

/** The ring as the settings ask for it. */
export type RingChoice = {
  readonly nodes: readonly Secret[];
  readonly virtualNodes: number;
  readonly label: string;
  /** null: a ring of the nodes. Else they are seeds of a Redis Cluster, in which the board is cut into so many parts. */
  readonly parts: number | null;
  readonly flushMs: number;
  readonly keptMs: number;
};

/** null where no node is named. @throws {SettingError} for nodes that the ring cannot tell apart, or that are no cluster */
export function toRingChoice(values: BoardSettings): RingChoice | null {
  const { redisNodes, redisCluster, virtualNodes, ringLabel: label } = values;
  const times = { flushMs: values.batchIntervalSeconds * 1_000, keptMs: values.resultCacheSeconds * 1_000 };
  if (redisCluster === undefined) {
    return redisNodes === undefined
      ? null
      : { nodes: checkNodes(redisNodes), virtualNodes, label, parts: null, ...times };
  }
  if (redisNodes !== undefined) {
    throw new SettingError('REDIS_NODES and REDIS_CLUSTER are two ways to hold the votes of polls: set one of them.');
  }
  // Its slots are the ring: what places nodes on one is not looked at, and a change of it changes nothing.
  return { nodes: toClusterSeeds(redisCluster), virtualNodes: 0, label: '', parts: partCount, ...times };
}

function checkNodes(nodes: readonly Secret[]): readonly Secret[] {
  const addresses = nodes.map((url) => {
    const address = toNodeAddress(url);
    if (address !== null) return address;
    throw new SettingError(
      `REDIS_NODES: ${String(url)} may have only weight (1 to 100) and as (a port) behind its question mark.`,
    );
  });
  if (new Set(addresses.map(({ name }) => name)).size < nodes.length) {
    throw new SettingError('REDIS_NODES names a node twice.');
  }
  return nodes;
}

/** Where one Redis is enough: the whole cluster, or the first of the nodes. */
export function toBoardPlace({ nodes, parts }: RingChoice): RedisPlace | null {
  if (parts !== null) return { kind: 'cluster', seeds: nodes };
  const [first] = nodes;
  const url = first === undefined ? undefined : toNodeAddress(first)?.url;
  return url === undefined ? null : { kind: 'server', url };
}
