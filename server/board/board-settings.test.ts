import { describe, expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { Secret } from '../lib/secret.ts';
import { toNodeAddress } from './node-address.ts';

const ringOf = (env: Record<string, string>) => parseConfig({ argv: [], env }).ring;

describe('the settings of the ring', () => {
  test('are those of the contract', () => {
    const ring = ringOf({ REDIS_NODES: 'redis://localhost:7000, redis://localhost:7001' });
    expect(ring?.nodes.map((url) => url.reveal())).toEqual(['redis://localhost:7000', 'redis://localhost:7001']);
    expect(ring).toMatchObject({ virtualNodes: 100, label: '{node}#{i}', flushMs: 10_000, keptMs: 5_000 });
    expect(ringOf({})).toBeNull();
  });

  test('may be a cluster, which knows no places of nodes', () => {
    const ring = ringOf({ REDIS_CLUSTER: 'redis://u:hush@a:1, redis://u:hush@b:1/', VIRTUAL_NODES: '7' });
    expect(ring).toMatchObject({ parts: 32, virtualNodes: 0, label: '' });
    expect(ring?.nodes.map(String)).toEqual(['redis://u:***@a:1', 'redis://u:***@b:1/']);
  });

  test.for([
    [{ REDIS_NODES: 'localhost:7000' }, 'REDIS_NODES: "***" is not allowed'],
    [{ REDIS_NODES: 'redis://a:1,redis://u:hush@a:1' }, 'REDIS_NODES names a node twice.'],
    [{ REDIS_NODES: 'redis://:hush@a:1?weight=0' }, 'may have only weight'],
    [{ REDIS_NODES: 'redis://a:1?wait=1' }, 'may have only weight'],
    [{ REDIS_CLUSTER: 'redis://a:1', REDIS_NODES: 'redis://u:hush@a:1' }, 'set one of them'],
    [{ REDIS_CLUSTER: 'redis://u:hush@a:1/2' }, 'REDIS_CLUSTER: redis://u:***@a:1/2 may have nothing behind its port.'],
    [{ REDIS_CLUSTER: 'redis://:hush@a:1?weight=2' }, 'may have nothing behind its port'],
    [{ REDIS_CLUSTER: 'redis://u:hush@a:1,redis://b:1' }, 'all its servers have the same protocol, user and password'],
    [{ REDIS_CLUSTER: 'redis://a:1,rediss://b:1' }, 'all its servers have the same protocol, user and password'],
    [{ REDIS_CLUSTER: 'redis://a:1,redis://a:1' }, 'REDIS_CLUSTER names a server twice.'],
    [{ REDIS_CLUSTER: 'a:1' }, 'REDIS_CLUSTER: "***" is not allowed'],
    [{ HUSTINGS_RING_LABEL: '{node}' }, 'it takes a text of at most 255 characters with {node} and {i} in it'],
  ] as const)('%j is refused, and no password is shown', ([env, text]) => {
    const parse = () => ringOf(env);
    expect(parse).toThrow(text);
    expect(parse).not.toThrow('hush');
  });
});

describe('the address of a node', () => {
  test('has a name without credentials, and a port that answers name', () => {
    const address = toNodeAddress(new Secret('rediss://user:hush@node-1:7000/3?weight=2&as=7001'));
    expect(address).toMatchObject({ name: 'rediss://node-1:7000/3', weight: 2, servedVia: 'redis_7001' });
    expect(address?.url.reveal()).toBe('rediss://user:hush@node-1:7000/3');
  });

  test('is taken as it stands in the contract', () => {
    expect(toNodeAddress(new Secret('redis://redis-node-1:6379'))).toMatchObject({
      name: 'redis://redis-node-1:6379',
      weight: 1,
      servedVia: 'redis_6379',
    });
    expect(toNodeAddress(new Secret('redis://localhost/'))?.servedVia).toBe('redis_6379');
  });
});
