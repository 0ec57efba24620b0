import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHashRing, type RingNode } from './hash-ring.ts';

const first = 'redis://redis-node-1:6379';
const second = 'redis://redis-node-2:6379';
const portOf = new Map([
  [first, 7000],
  [second, 7001],
]);
const keyCount = 10_000;
const keys = Array.from({ length: keyCount }, (_, id) => String(id));
const someKeys = keys.slice(0, 2_000);

function createRing(names: readonly (string | RingNode)[], label = '{node}#{i}', virtualNodes = 100) {
  const nodes = names.map((name) => (typeof name === 'string' ? { name } : name));
  return createHashRing({ nodes, virtualNodes, label });
}

function countKeys(nodeOf: (key: string) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(nodeOf(key), (counts.get(nodeOf(key)) ?? 0) + 1);
  return counts;
}

describe('the test vectors of the contract', () => {
  test.for([
    [
      '{node}#{i}',
      '100→7000 101→7001 102→7001 1→7000 2→7001 3→7001 10→7000 42→7000 200→7001 poll-1→7000 poll_a→7001 abc→7001',
      [4_924, 5_076],
    ],
    // The contract says 7001 for the key 1 as well. MD5 puts it on 7000, and only so do the contract's own counts come out.
    ['{node}:{i}', '100→7001 101→7000 1→7000 abc→7001', [4_880, 5_120]],
  ] as const)('hold with the label %s', ([label, vectors, counts]) => {
    const { nodeOf } = createRing([first, second], label);
    for (const vector of vectors.split(' ')) {
      const [key = '', port] = vector.split('→');
      expect(`${key}→${portOf.get(nodeOf(key))}`).toBe(`${key}→${port}`);
    }
    const found = countKeys(nodeOf);
    expect([found.get(first), found.get(second)]).toEqual(counts);
  });
});

test('a key goes to the first place clockwise, its own included, and behind the last place to the first one', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const places = names.map((name) => ({ name, at: hash('md5', `${name}#0`, 'hex') }));
  const inOrder = places.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const { nodeOf } = createRing(names, '{node}#{i}', 1);
  for (const { name } of places) expect(nodeOf(`${name}#0`)).toBe(name);
  const seen = new Set<string>();
  for (const key of keys.slice(0, 1_000)) {
    const at = hash('md5', key, 'hex');
    const next = inOrder.find((place) => place.at >= at);
    seen.add(next === undefined ? 'around' : 'clockwise');
    expect(nodeOf(key)).toBe((next ?? inOrder[0])?.name);
  }
  expect(seen.size).toBe(2);
});

test('the order in which nodes are named changes nothing', () => {
  const names = ['redis://a:1', 'redis://b:2', 'redis://c:3'];
  const ring = createRing(names);
  const reversed = createRing(names.toReversed());
  expect(keys.map(reversed.nodeOf)).toEqual(keys.map(ring.nodeOf));
});

test('a node that comes takes its share from the others and moves nothing between them; one that goes gives it back', () => {
  const nodeNames = fc.uniqueArray(fc.stringMatching(/^redis:\/\/[a-z0-9-]{1,20}:\d{4}$/u), {
    minLength: 2,
    maxLength: 8,
  });
  fc.assert(
    fc.property(nodeNames, (names) => {
      const [added = '', ...others] = names;
      const before = createRing(others, '{node}#{i}', 400);
      const after = createRing(names, '{node}#{i}', 400);
      const moved = someKeys.filter((key) => before.nodeOf(key) !== after.nodeOf(key));
      expect(new Set(moved.map(after.nodeOf))).toEqual(new Set([added]));
      expect(moved.length / someKeys.length).toBeLessThanOrEqual(1 / names.length + 0.1);
    }),
    { numRuns: 20 },
  );
});

test('with the 100 virtual nodes of the default, coming and going moves at most one part in n and a tenth', () => {
  for (let count = 2; count <= 10; count += 1) {
    const names = Array.from({ length: count }, (_, index) => `redis://localhost:${7_000 + index}`);
    const full = createRing(names);
    for (const gone of names) {
      const rest = createRing(names.filter((name) => name !== gone));
      const moved = someKeys.filter((key) => rest.nodeOf(key) !== full.nodeOf(key)).length;
      expect(moved / someKeys.length).toBeLessThanOrEqual(1 / count + 0.1);
    }
  }
});

test('a node of weight 3 takes about three times as many keys as one of weight 1', () => {
  const ring = createRing(['redis://a:1', { name: 'redis://b:2', weight: 3 }], '{node}#{i}', 1_000);
  const counts = countKeys(ring.nodeOf);
  const ratio = (counts.get('redis://b:2') ?? 0) / (counts.get('redis://a:1') ?? 0);
  expect(ratio).toBeGreaterThan(2.5);
  expect(ratio).toBeLessThan(3.5);
  expect(ring.shares().get('redis://b:2')).toBeCloseTo(0.75, 1);
});

test('the shares of all nodes make the whole circle, and are what keys meet', () => {
  const ring = createRing([first, second]);
  const shares = ring.shares();
  expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
  expect(shares.get(first)).toBeCloseTo(4_924 / keyCount, 1);
});

test('a ring without nodes is refused', () => {
  expect(() => createRing([])).toThrow(RangeError);
});
