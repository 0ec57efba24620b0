import { expect, test } from 'vitest';
import { toClusterSlot } from '../lib/cluster-slot.ts';
import { partCount, toPart, toPartKeys } from './node-keys.ts';

const pollKeys = ['100', '{1}', '}{', 'a{b}c', '__proto__'];

test('all keys of a part are in one slot, whatever its polls are called', () => {
  for (let part = 0; part < partCount; part += 1) {
    const { board, lock, pollPrefix } = toPartKeys(part);
    const slots = [board, lock, ...pollKeys.map((key) => pollPrefix + key)].map(toClusterSlot);
    expect(new Set(slots)).toEqual(new Set([toClusterSlot(String(part))]));
  }
});

test('the parts of polls are the MD5 of their keys modulo the number of parts, and get about as many each', () => {
  // Of "100" it is f899139df5e1059396431415e770c6dd.
  expect(toPart('100', partCount)).toBe(0xdd % partCount);
  expect(toPart('100', 10)).toBe(Number(0xf899139df5e1059396431415e770c6ddn % 10n));
  const counts = Array<number>(partCount).fill(0);
  for (let id = 0; id < 32_000; id += 1)
    counts[toPart(String(id), partCount)] = (counts[toPart(String(id), partCount)] ?? 0) + 1;
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
});
