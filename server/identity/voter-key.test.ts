import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import { createKeyMaker, keyBytes, type Purpose } from './voter-key.ts';

const secret = Buffer.alloc(32, 7);
const makeKey = createKeyMaker(secret);
const { id: pollId } = makePoll({ pollNo: 1 });
const { id: otherId } = makePoll({ pollNo: 2 });

test('a key is the head of a hash that begins with the secret', () => {
  const text = `${secret.toString('hex')}\ndeclared\n${pollId}\nzoë`;
  const expected = createHash('sha256').update(text, 'utf8').digest().subarray(0, keyBytes);
  expect(makeKey('declared', pollId, 'zoë')).toEqual(expected);
});

test('the same identity has another key for each purpose, poll and installation', () => {
  const purposes: Purpose[] = ['declared', 'cookie', 'retry', 'cookie_from_retry'];
  const keys = [
    ...purposes.map((purpose) => makeKey(purpose, pollId, 'alice')),
    makeKey('declared', otherId, 'alice'),
    makeKey('declared', pollId, 'alice '),
    createKeyMaker(Buffer.alloc(32, 8))('declared', pollId, 'alice'),
  ];
  expect(new Set(keys.map(String)).size).toBe(keys.length);
  expect(makeKey('declared', pollId, 'alice')).toEqual(keys[0]);
});

test('an identity with line breaks is not another one in another poll', () => {
  expect(makeKey('declared', pollId, `x\ndeclared\n${otherId}\ny`)).not.toEqual(makeKey('declared', otherId, 'y'));
});
