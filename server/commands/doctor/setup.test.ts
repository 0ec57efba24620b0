import { expect, test } from 'vitest';
import { checkAddress } from './setup.ts';

const usual = { publicUrl: undefined, host: '127.0.0.1', port: 8000, trustedProxies: [] };

test('a server for this machine needs no public address, and one for the network does', () => {
  expect(checkAddress(usual).map(({ level }) => level)).toEqual(['ok']);
  const [finding] = checkAddress({ ...usual, host: '0.0.0.0' });
  expect(finding).toMatchObject({ level: 'warn', text: expect.stringContaining('Set HUSTINGS_PUBLIC_URL') as string });
});

test('a public address without encryption is told', () => {
  const behindProxy = { ...usual, publicUrl: 'https://vote.example.org', trustedProxies: ['loopback'] };
  expect(checkAddress(behindProxy).map(({ level }) => level)).toEqual(['ok', 'ok']);
  const [finding] = checkAddress({ ...usual, publicUrl: 'http://vote.example.org' });
  expect(finding).toMatchObject({ level: 'warn', text: expect.stringContaining('is not encrypted') as string });
});

test('where there must be a proxy, its address must be known, or all voters have it', () => {
  const findings = checkAddress({ ...usual, publicUrl: 'https://vote.example.org' });
  expect(findings.map(({ level, area }) => `${level} ${area}`)).toEqual(['ok address', 'warn proxy']);
  expect(findings[1]?.text).toContain('Set HUSTINGS_TRUSTED_PROXIES');
});

test('a proxy that is trusted tells the address of the server, too', () => {
  const findings = checkAddress({ ...usual, host: '0.0.0.0', trustedProxies: ['10.0.0.1', 'private'] });
  expect(findings.map(({ level }) => level)).toEqual(['ok', 'ok']);
  expect(findings[1]?.text).toContain('10.0.0.1, private');
});
