import { expect, test } from 'vitest';
import { checkAddress } from './setup.ts';

const usual = {
  publicUrl: undefined,
  host: '127.0.0.1',
  port: 8000,
  socketsMax: 50_000,
  socketsPerAddressMax: 50_000,
  durability: 'strict',
} as const;

test('a server for this machine needs no public address, and one for the network does', () => {
  expect(checkAddress(usual).map(({ level }) => level)).toEqual(['ok']);
  const [finding] = checkAddress({ ...usual, host: '0.0.0.0' });
  expect(finding).toMatchObject({ level: 'warn', text: expect.stringContaining('Set HUSTINGS_PUBLIC_URL') as string });
});

test('an address that is not encrypted is a warning', () => {
  expect(checkAddress({ ...usual, publicUrl: 'https://vote.example.org' }).map(({ level }) => level)).toEqual(['ok']);
  const [finding] = checkAddress({ ...usual, publicUrl: 'http://vote.example.org' });
  expect(finding).toMatchObject({ level: 'warn', text: expect.stringContaining('not encrypted') as string });
});

test('behind a proxy one address may hold all connections', () => {
  const findings = checkAddress({ ...usual, publicUrl: 'https://vote.example.org', socketsPerAddressMax: 10_000 });
  expect(findings.at(-1)?.text).toContain('HUSTINGS_SOCKETS_PER_ADDRESS_MAX=50000');
});
