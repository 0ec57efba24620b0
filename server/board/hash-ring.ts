/**
 * Consistent hashing: a key belongs to the node that comes first clockwise from the key's place on a circle, so that a node which comes or goes
 * moves only the keys between it and its neighbours. Each node stands at many places (virtual nodes), which evens out the shares.
 *
 * Source: D. Karger, E. Lehman, T. Leighton, R. Panigrahy, M. Levine, D. Lewin, "Consistent Hashing and Random Trees: Distributed Caching Protocols
 * for Relieving Hot Spots on the World Wide Web", STOC 1997. A place is the MD5 of a text, read as a 128-bit number: evenly spread,
 * the same in every language, and nothing that needs to be safe from forgery.
 */
import { hash } from 'node:crypto';

export type RingNode = {
  readonly name: string;
  /** How many times the usual share of keys it takes. 1 where nothing is said. */
  readonly weight?: number;
};

export type RingPlan = {
  /** In any order: it changes nothing. Names are different. */
  readonly nodes: readonly RingNode[];
  /** Places on the circle for a node of weight 1. */
  readonly virtualNodes: number;
  /** What names a place: `{node}` stands for the node's name and `{i}` for 0, 1, 2 … */
  readonly label: string;
};

export type HashRing = {
  /** The name of the key's node. O(log n). */
  nodeOf(key: string): string;
  /** The part of the circle that belongs to each node, from 0 to 1. */
  shares(): ReadonlyMap<string, number>;
};

type Place = { readonly at: string; readonly node: string };

const circle = 2n ** 128n;

/** @throws {RangeError} without nodes */
export function createHashRing({ nodes, virtualNodes, label }: RingPlan): HashRing {
  const places = nodes
    .flatMap(({ name, weight = 1 }) => toPlaces(name, Math.max(1, Math.round(virtualNodes * weight)), label))
    .toSorted(inOrder);
  const [first] = places;
  if (first === undefined) throw new RangeError('A ring takes at least one node.');
  return {
    nodeOf: (key) => (places[findFirst(places, toPlace(key))] ?? first).node,
    shares() {
      const shares = new Map(nodes.map(({ name }) => [name, 0]));
      let before = BigInt(`0x${places.at(-1)?.at}`) - circle;
      for (const { at, node } of places) {
        const here = BigInt(`0x${at}`);
        shares.set(node, (shares.get(node) ?? 0) + Number(here - before) / Number(circle));
        before = here;
      }
      return shares;
    },
  };
}

function toPlaces(node: string, count: number, label: string): Place[] {
  return Array.from({ length: count }, (_, index) => {
    const text = label.replaceAll(/\{(node|i)\}/gu, (_match, word) => (word === 'node' ? node : String(index)));
    return { at: toPlace(text), node };
  });
}

/** 32 hexadecimal digits, which have the order of the numbers that they write. */
function toPlace(text: string): string {
  return hash('md5', text, 'hex');
}

/** Two nodes on the same place: the name decides, so that every process sees the same ring. */
function inOrder(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.node < b.node ? -1 : 1;
}

/** The index of the first place that is not before `at`; behind the last one where there is none, and the circle begins anew. */
function findFirst(places: readonly Place[], at: string): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle]?.at ?? '') < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
