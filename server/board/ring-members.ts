/** The nodes of the ring as this process knows it, and how it is with each of them. */
import type { Logger } from '../lib/logger.ts';
import { Secret } from '../lib/secret.ts';
import { createPartOpener } from './cluster-parts.ts';
import { createHashRing } from './hash-ring.ts';
import { toNodeAddress, type NodeAddress } from './node-address.ts';
import { toPart, toPartName } from './node-keys.ts';
import { openRedisNode, type Position, type RedisNode } from './redis-node.ts';
import { emptyNode } from './ring-fill.ts';

/** The ring as all processes of an installation share it. */
export type StoredRing = {
  /** Grows by one with every change. */
  readonly generation: number;
  /** Addresses as in REDIS_NODES or REDIS_CLUSTER, with their credentials. */
  readonly nodes: readonly string[];
  readonly virtualNodes: number;
  readonly label: string;
  /** null: a ring of these nodes. Else they are seeds of a Redis Cluster, in which the board is cut into so many parts. */
  readonly parts: number | null;
};

export type Member = {
  readonly node: RedisNode;
  /** How the node is reached. */
  readonly reachedBy: string;
  /** Described in redis-ring.ts. */
  state: 'ready' | 'unfit' | 'away';
  /** As it was seen last; null before the first look, and while it is being filled. */
  position: Position | null;
  seenAt: number;
  /** When the votes of an interval go there, unless another process is quicker. */
  flushAt: number;
  /** Since when it stands where this process cannot go on. */
  unfitSince: number | null;
  /** A poll whose sums were wrong, and since when no read of it was right. */
  doubt: { readonly pollNo: number; readonly since: number } | null;
  /** Not filled before that. */
  fillFrom: number;
  looking: Promise<void> | null;
};

/** One generation of the ring. */
export type RingView = { readonly generation: number; nodeOf(key: string): string };

export type RingMembers = {
  view(): RingView;
  all(): Iterable<Member>;
  /** The one that has the poll with this key. */
  memberOf(key: string): Member | undefined;
  /** Takes over a newer ring: nodes that are gone from it are emptied and left. */
  adopt(stored: StoredRing): void;
  close(): void;
};

export function openRingMembers(first: StoredRing, log: Logger): RingMembers {
  const members = new Map<string, Member>();
  let view: RingView = { generation: 0, nodeOf: () => '' };

  function leave(member: Member, isGone: boolean): void {
    members.delete(member.node.name);
    // Under the same name it is the same node with other credentials, and keeps what it has.
    void (isGone ? emptyNode(member.node, log) : Promise.resolve()).finally(member.node.close);
  }

  function adopt(stored: StoredRing): void {
    const { generation } = stored;
    if (generation <= view.generation) return;
    const { nodeOf, places } = stored.parts === null ? planRing(stored, log) : planCluster(stored, stored.parts, log);
    view = { generation, nodeOf };
    for (const member of [...members.values()]) {
      const place = places.get(member.node.name);
      if (member.reachedBy === place?.reachedBy) member.state = 'unfit';
      else leave(member, place === undefined);
    }
    for (const [name, { reachedBy, open }] of places) {
      if (!members.has(name)) members.set(name, toMember(open(), reachedBy));
    }
    log.info({ generation, nodes: toShownNodes(stored), ...(stored.parts === null ? {} : { cluster: true }) }, 'ring');
  }

  adopt(first);
  return {
    view: () => view,
    all: () => members.values(),
    memberOf: (key) => members.get(view.nodeOf(key)),
    adopt,
    close() {
      for (const { node } of members.values()) node.close();
    },
  };
}

type Plan = {
  readonly nodeOf: (key: string) => string;
  /** By the names of the nodes. */
  readonly places: ReadonlyMap<string, { readonly reachedBy: string; readonly open: () => RedisNode }>;
};

function planRing({ nodes, virtualNodes, label }: StoredRing, log: Logger): Plan {
  const addresses = new Map(nodes.map(toAddress).map((address) => [address.name, address]));
  const { nodeOf } = createHashRing({ nodes: [...addresses.values()], virtualNodes, label });
  const places = [...addresses].map(([name, address]) => {
    const reachedBy = `${address.url.reveal()} ${address.servedVia}`;
    return [name, { reachedBy, open: () => openRedisNode(address, log) }] as const;
  });
  return { nodeOf, places: new Map(places) };
}

function planCluster({ nodes }: StoredRing, parts: number, log: Logger): Plan {
  const openPart = createPartOpener(nodes.map((node) => toAddress(node).url), log); // prettier-ignore
  const reachedBy = nodes.join(' ');
  const places = Array.from({ length: parts }, (_, part) => {
    return [toPartName(part), { reachedBy, open: () => openPart(part) }] as const;
  });
  return { nodeOf: (key) => toPartName(toPart(key, parts)), places: new Map(places) };
}

/** Without their credentials. */
function toShownNodes({ nodes }: StoredRing): string[] {
  return nodes.map((node) => toAddress(node).name);
}

function toMember(node: RedisNode, reachedBy: string): Member {
  const times = { seenAt: 0, flushAt: 0, unfitSince: null, fillFrom: 0 };
  return { node, reachedBy, state: 'away', position: null, doubt: null, looking: null, ...times };
}

function toAddress(text: string): NodeAddress {
  const address = toNodeAddress(new Secret(text));
  if (address === null) throw new Error('The ledger names a Redis node that is no address.');
  return address;
}
