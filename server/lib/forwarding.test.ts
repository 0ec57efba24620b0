import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { createForwarding, forwardedOf } from './forwarding.ts';

const proxied = createForwarding(['loopback', '10.0.0.0/8']);

function makeMessage(peer: string | undefined, headers: IncomingHttpHeaders) {
  return { headers: { ...headers }, socket: { remoteAddress: peer } as IncomingMessage['socket'] }; // All that is read of it.
}

const addressOf = (peer: string | undefined, claimed?: string): string =>
  proxied.addressOf(makeMessage(peer, claimed === undefined ? {} : { 'x-forwarded-for': claimed }));

test.for([
  ['127.0.0.1', undefined, '127.0.0.1'],
  ['127.0.0.1', '', '127.0.0.1'],
  ['127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['::ffff:127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['127.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
  ['::1', ' 2001:db8::9 ', '2001:db8::9'],
  ['127.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  ['127.0.0.1', '198.51.100.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['127.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['127.0.0.1', 'made up, 10.0.0.2', '10.0.0.2'],
  ['127.0.0.1', '203.0.113.9:5555', '203.0.113.9'],
  ['127.0.0.1', '198.51.100.1:80, [2001:db8::9]:65535', '2001:db8::9'],
  ['127.0.0.1', '[2001:db8::9]', '2001:db8::9'],
  ['127.0.0.1', '203.0.113.9, [10.0.0.2]:1', '203.0.113.9'],
  ['127.0.0.1', '203.0.113.9:', '127.0.0.1'],
  ['127.0.0.1', '203.0.113.9:port', '127.0.0.1'],
  ['127.0.0.1', '[203.0.113.9', '127.0.0.1'],
  ['127.0.0.1', 'unknown', '127.0.0.1'],
  ['127.0.0.1', '203.0.113.9,', '127.0.0.1'],
  ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['203.0.113.9', '127.0.0.1', '203.0.113.9'],
  ['', '198.51.100.1', ''],
  [undefined, '198.51.100.1', ''],
] as const)('from %j that says it forwards for %j comes %j', ([peer, claimed, expected]) => {
  expect(addressOf(peer, claimed)).toBe(expected);
});

test('without a trusted proxy nobody is believed', () => {
  const direct = createForwarding([]);
  expect(direct.trusts).toBeNull();
  const message = makeMessage('127.0.0.1', {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'a',
  });
  expect(direct.addressOf(message)).toBe('127.0.0.1');
  direct.settle(message);
  expect(forwardedOf(message.headers)).toEqual({ protocol: undefined, host: undefined });
});

test.for([
  ['https', 'vote.example.org', { protocol: 'https', host: 'vote.example.org' }],
  ['HTTP', 'vote.example.org:8443', { protocol: 'http', host: 'vote.example.org:8443' }],
  ['http, https', 'made.example, [fd00::1]:80', { protocol: 'https', host: '[fd00::1]:80' }],
  ['javascript', 'a/b', { protocol: undefined, host: undefined }],
  ['', '"><script>', { protocol: undefined, host: undefined }],
  [undefined, undefined, { protocol: undefined, host: undefined }],
] as const)(
  'a trusted proxy that says %j and %j is believed as far as it makes sense',
  ([protocol, host, expected]) => {
    const headers = {
      'x-forwarded-proto': protocol,
      'x-forwarded-host': host,
      'x-forwarded-for': '198.51.100.1, 203.0.113.9',
    };
    const message = makeMessage('10.0.0.1', headers);
    proxied.settle(message);
    expect(forwardedOf(message.headers)).toEqual(expected);
    expect(message.headers['x-forwarded-for']).toBe('203.0.113.9');
    expect(proxied.addressOf(message)).toBe('203.0.113.9');
    const untrusted = makeMessage('203.0.113.1', headers);
    proxied.settle(untrusted);
    expect(forwardedOf(untrusted.headers)).toEqual({ protocol: undefined, host: undefined });
  },
);

test.for(['203.0.113.9', '198.51.100.1, 203.0.113.9, 10.0.0.2', 'made up, 10.0.0.2', '10.0.0.3, 10.0.0.2'])(
  'Fastify gives the same address, scheme and host for %j as we do',
  async (claimed) => {
    const app = Fastify({ trustProxy: proxied.trusts ?? false });
    app.addHook('onRequest', async ({ raw }) => proxied.settle(raw));
    app.get('/', ({ raw, ip, protocol, host }) => ({ ip, protocol, host, own: proxied.addressOf(raw) }));
    const headers = {
      'x-forwarded-for': claimed,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'vote.example.org',
    };
    const { own, ...others }: Record<string, string> = (await app.inject({ url: '/', headers })).json();
    expect(others).toEqual({ ip: own, protocol: 'https', host: 'vote.example.org' });
    expect(own).toBe(addressOf('127.0.0.1', claimed));
  },
);
