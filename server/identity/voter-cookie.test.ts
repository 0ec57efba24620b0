import { expect, test } from 'vitest';
import { createVoterCookies } from './voter-cookie.ts';

const cookies = createVoterCookies(Buffer.alloc(32, 1));

test('a cookie of ours names its voter', () => {
  const voterId = cookies.drawVoterId();
  expect(Buffer.from(voterId, 'base64url')).toHaveLength(16);
  expect(cookies.parse(cookies.sign(voterId))).toBe(voterId);
  expect(cookies.drawVoterId()).not.toBe(voterId);
});

test('a cookie that we did not make names nobody', () => {
  const value = cookies.sign('alice');
  const foreign = createVoterCookies(Buffer.alloc(32, 2)).sign('alice');
  for (const made of [undefined, '', 'alice', 'alice.', '.', foreign, `${value}x`, value.replace('alice', 'bob')]) {
    expect(cookies.parse(made)).toBeNull();
  }
});
