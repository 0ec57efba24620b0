import { expect, test } from 'vitest';
import { pickTopology, toClusterAddress, toRedirect, toServerUrl } from './cluster-topology.ts';
import { Secret } from './secret.ts';

test('a server that serves is believed before one that does not, and the newer before the older', () => {
  const toTopology = (isWell: boolean, epoch: number) => ({ isWell, epoch, ranges: [], replicas: [] });
  const [old, cut, now] = [toTopology(true, 6), toTopology(false, 9), toTopology(true, 7)];
  expect(pickTopology([old, cut, now])).toBe(now);
  expect(pickTopology([old, cut])).toBe(old);
  expect(pickTopology([cut])).toBe(cut);
  expect(pickTopology([])).toBeNull();
});

test.for([
  ['MOVED 3999 10.0.0.2:6381', { isLasting: true, address: '10.0.0.2:6381' }],
  ['ASK 3999 10.0.0.2:6381', { isLasting: false, address: '10.0.0.2:6381' }],
  ['MOVED 3999 fd00::2:6381', { isLasting: true, address: 'fd00::2:6381' }],
  ['MOVED 3999 :6381', { isLasting: true, address: '10.0.0.1:6381' }],
  ['TRYAGAIN Multiple keys request during rehashing of slot', null],
  ['CLUSTERDOWN The cluster is down', null],
] as const)('%s', ([message, redirect]) => {
  expect(toRedirect(new Error(message), '10.0.0.1:6380')).toEqual(redirect);
});

test('other servers are reached with the protocol and the credentials of the seeds, which nobody sees', () => {
  const seeds = [new Secret('rediss://user:hush%40@node-1:7000/')];
  const url = toServerUrl(seeds, 'fd00::2:7001');
  expect(url.reveal()).toBe('rediss://user:hush%40@[fd00::2]:7001/');
  expect(String(url)).toBe('rediss://[fd00::2]:7001');
  expect(toClusterAddress(url)).toBe('fd00::2:7001');
  expect(toClusterAddress(new Secret('redis://node-1'))).toBe('node-1:6379');
});
