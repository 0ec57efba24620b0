import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isUuidText, toUuidText } from '../lib/uuid-v7.ts';
import { createBallotIds } from './ballot-ids.ts';

const ids = createBallotIds(Buffer.alloc(32, 7));
const tick = 1_790_000_000_000_000;

test('an id tells that it was made with the secret, and no other does', () => {
  const made = [ids.ofMoment(tick), ids.ofRetry('poll', Buffer.alloc(16, 1), Buffer.alloc(16, 2))];
  for (const id of made) {
    expect(ids.isOurs(id)).toBe(true);
    expect(createBallotIds(Buffer.alloc(32, 8)).isOurs(id)).toBe(false);
    expect(isUuidText(toUuidText(id))).toBe(true);
    for (let place = 0; place < 16; place += 1) {
      const changed = Buffer.from(id);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(ids.isOurs(changed)).toBe(false);
    }
  }
  expect(made.map((id) => (id[6] ?? 0) >> 4)).toEqual([7, 8]);
  expect(ids.isOurs(Buffer.alloc(0))).toBe(false);
  expect(Array.from({ length: 50 }, () => ids.isOurs(randomBytes(16)))).not.toContain(true);
});

test('ids of moments are all different and grow with the moment', () => {
  const made = Array.from({ length: 1_000 }, () => ids.ofMoment(tick).toString('hex'));
  expect(new Set(made).size).toBe(1_000);
  expect(Buffer.compare(ids.ofMoment(tick), ids.ofMoment(tick + 1))).toBe(-1);
});

test('a retry has the id of the first attempt, and no other voter, poll or key has it', () => {
  const [voter, key] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
  const id = ids.ofRetry('poll', voter, key);
  expect(ids.ofRetry('poll', voter, key)).toEqual(id);
  expect(ids.ofRetry('another', voter, key)).not.toEqual(id);
  expect(ids.ofRetry('poll', key, key)).not.toEqual(id);
  expect(ids.ofRetry('poll', voter, voter)).not.toEqual(id);
});
