import { expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { describeRing } from './ring.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const options = { log: silent, onProgress: () => {}, onLost: () => {} };
const nodes = 'redis://redis-node-1:6379,redis://redis-node-2:6379';

test('hustings ring names the node of a poll by the settings alone', async () => {
  const nodeOf = (pollName: string, env = {}) =>
    describeRing(parseConfig({ argv: [], env: { REDIS_NODES: nodes, ...env } }), { pollName, adopt: false }, options);
  expect(await nodeOf('100')).toBe('redis://redis-node-1:6379');
  expect(await nodeOf('101')).toBe('redis://redis-node-2:6379');
  expect(await nodeOf('100', { HUSTINGS_RING_LABEL: '{node}:{i}' })).toBe('redis://redis-node-2:6379');
});

test('nodes are adopted only where some are named', async () => {
  const config = parseConfig({ argv: [], env: {} });
  await expect(describeRing(config, { pollName: undefined, adopt: true }, options)).rejects.toThrow('REDIS_NODES');
});
