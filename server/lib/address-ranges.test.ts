import { expect, test } from 'vitest';
import { isAddressRange, toAddressTest, toPlainAddress } from './address-ranges.ts';

test.for([
  ['10.0.0.1', ['10.0.0.1', '::ffff:a00:1'], ['10.0.0.2', '::a00:1']],
  ['10.1.0.0/16', ['10.1.0.0', '10.1.255.255'], ['10.2.0.0', '11.1.0.1']],
  ['10.1.2.3/16', ['10.1.0.0'], ['10.2.2.3']],
  ['fd00:1::/32', ['fd00:1::5', 'fd00:1:ffff::1'], ['fd00:2::1', '10.0.0.1']],
  ['2001:db8::7', ['2001:db8::7', '2001:db8:0:0::7'], ['2001:db8::8']],
  ['loopback', ['127.0.0.1', '127.9.9.9', '::1'], ['128.0.0.1', '::2', '10.0.0.1']],
  [
    'private',
    ['10.9.9.9', '172.16.0.1', '172.31.255.255', '192.168.3.4', 'fd12::1'],
    ['172.32.0.1', '8.8.8.8', '127.0.0.1'],
  ],
] as const)('%s has its addresses and no others', ([text, inside, outside]) => {
  expect(isAddressRange(text)).toBe(true);
  const has = toAddressTest([text]);
  expect(inside.filter((address) => !has(address))).toEqual([]);
  expect(outside.filter((address) => has(address))).toEqual([]);
});

test('no range has nobody, and what is no address is in none', () => {
  expect(toAddressTest([])('127.0.0.1')).toBe(false);
  const has = toAddressTest(['loopback', 'private', '128.0.0.0/1']);
  expect(['', 'unknown', 'localhost', '10.0.0.1:80', '10.0.0', '1e3'].filter(has)).toEqual([]);
});

test.for([
  '',
  ' ',
  '*',
  'all',
  'proxy',
  'Loopback',
  'toString',
  'linklocal',
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '/8',
  '10.0.0.0/08',
  '10.0.0.0/-8',
  '10.0.0.0/8/8',
  '10.0.0',
  '10.0.0.256',
  '010.0.0.1',
  '10.0.0.0/255.0.0.0',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
  '10.0.0.1:80',
])('%j is no range', (text) => {
  expect(isAddressRange(text)).toBe(false);
  expect(() => toAddressTest([text])).toThrow('no range');
});

test('one address has one spelling, however it came', () => {
  expect(['::ffff:10.0.0.1', '::FFFF:10.0.0.1', 'fe80::1%eth0', '10.0.0.1', ''].map(toPlainAddress)).toEqual([
    '10.0.0.1',
    '10.0.0.1',
    'fe80::1',
    '10.0.0.1',
    '',
  ]);
});
