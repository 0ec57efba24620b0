import { expect, test } from 'vitest';
import { toClusterSlot } from './cluster-slot.ts';

test('slots are those of the specification', () => {
  // The check value of the CRC, 0x31C3, and what redis-server answers to CLUSTER KEYSLOT.
  expect(toClusterSlot('123456789')).toBe(0x31_c3);
  expect(toClusterSlot('foo')).toBe(12_182);
  expect(toClusterSlot('')).toBe(0);
});

test('a tag alone decides, and only the first one', () => {
  const slot = toClusterSlot('17');
  for (const key of ['{17}', 'poll:{17}:100', 'poll:{17}:{18}', 'a{17}b}']) expect(toClusterSlot(key), key).toBe(slot);
});

test('what looks like a tag and holds nothing is part of the key', () => {
  expect(toClusterSlot('foo{}{17}')).not.toBe(toClusterSlot('17'));
  expect(toClusterSlot('}{')).not.toBe(0);
});
