import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { drawManageKey, hashManageKey, manageKeyMatches, secretsMatch } from './manage-key.ts';

test('a manage key has 160 random bits, and only its own hash fits', () => {
  const keys = Array.from({ length: 100 }, drawManageKey);
  expect(new Set(keys).size).toBe(100);
  const [key = '', other = ''] = keys;
  expect(Buffer.from(key.slice('manage_'.length), 'base64url')).toHaveLength(20);
  expect(hashManageKey(key)).toEqual(createHash('sha256').update(key).digest());
  expect(manageKeyMatches(key, hashManageKey(key))).toBe(true);
  expect(manageKeyMatches(other, hashManageKey(key))).toBe(false);
  expect(manageKeyMatches('', hashManageKey(key))).toBe(false);
});

test('secrets match when they are the same text, whatever their lengths', () => {
  expect(secretsMatch('secret', 'secret')).toBe(true);
  expect(secretsMatch('secret ', 'secret')).toBe(false);
  expect(secretsMatch('', 'secret')).toBe(false);
});
