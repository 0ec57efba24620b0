/** The nodes of the ring as this process knows it, and how it is with each of them. */
import type { Logger } from '../lib/logger.ts';
import { Secret } from '../lib/secret.ts';
import { createHashRing } from './hash-ring.ts';
import { toNodeAddress, type NodeAddress } from './node-address.ts';
import { openRedisNode, type Position, type RedisNode } from './redis-node.ts';
import { emptyNode } from './ring-fill.ts';

/** The ring as all processes of an installation share it. */
export type StoredRing = {
  /** Grows by one with every change. */
  readonly generation: number;
  /** Addresses as in REDIS_NODES, with their credentials. */
  readonly nodes: readonly string[];
  readonly virtualNodes: number;
  readonly label: string;
};

export type Member = {
  readonly node: RedisNode;
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

  function adopt({ generation, nodes, virtualNodes, label }: StoredRing): void {
    if (generation <= view.generation) return;
    const addresses = new Map(nodes.map(toAddress).map((address) => [address.name, address]));
    const { nodeOf } = createHashRing({ nodes: [...addresses.values()], virtualNodes, label });
    view = { generation, nodeOf };
    for (const member of [...members.values()]) {
      const address = addresses.get(member.node.name);
      if (!isSame(member.node, address)) leave(member, address === undefined);
      else member.state = 'unfit';
    }
    for (const [name, address] of addresses) {
      if (!members.has(name)) members.set(name, toMember(openRedisNode(address, log)));
    }
    log.info({ generation, nodes: [...addresses.keys()] }, 'ring');
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

function toMember(node: RedisNode): Member {
  const times = { seenAt: 0, flushAt: 0, unfitSince: null, fillFrom: 0 };
  return { node, state: 'away', position: null, doubt: null, looking: null, ...times };
}

function isSame(node: NodeAddress, address: NodeAddress | undefined): boolean {
  return address?.url.reveal() === node.url.reveal() && address.servedVia === node.servedVia;
}

function toAddress(text: string): NodeAddress {
  const address = toNodeAddress(new Secret(text));
  if (address === null) throw new Error('The ledger names a Redis node that is no address.');
  return address;
}
