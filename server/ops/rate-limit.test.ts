import { expect, test } from 'vitest';
import { describeRateLimits, takeMany } from '../../test/support/describe-rate-limit.ts';
import { createMemoryRateLimit } from './rate-limit-memory.ts';
import { createRedisRateLimit } from './rate-limit-redis.ts';
import { createRateLimits } from './rate-limits.ts';

const options = { timesMax: 3, windowSeconds: 60 };
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describeRateLimits('in memory', () => createRateLimits({ memory: null, log }));

test('a window begins with the first time and ends after its length', async () => {
  let now = 0;
  const limit = createMemoryRateLimit(options, () => now);
  expect(await takeMany(limit, 'a', 4)).toEqual([0, 0, 0, 60]);
  now = 59_001;
  expect([limit.look('a'), ...(await takeMany(limit, 'a', 1))]).toEqual([1, 1]);
  expect(await takeMany(limit, 'b', 1)).toEqual([0]);
  now = 60_000;
  expect(limit.look('a')).toBe(0);
  expect(await takeMany(limit, 'a', 4)).toEqual([0, 0, 0, 60]);
  expect(await takeMany(limit, 'b', 3)).toEqual([0, 0, 60]);
});

test('of very many keys the oldest are forgotten', () => {
  const limit = createMemoryRateLimit({ timesMax: 1, windowSeconds: 60 }, () => 0);
  for (let user = 0; user <= 100_000; user += 1) expect(limit.take(`user-${user}`)).toBe(0);
  expect(limit.take('user-100000')).toBe(60);
  expect(limit.take('user-0')).toBe(0);
});

test('while the shared memory is away each process counts for itself', async () => {
  const away = () => Promise.reject(new Error('away'));
  const otherwise = createMemoryRateLimit(options, () => 0);
  const limit = createRedisRateLimit({ memory: { count: away, readCount: away }, otherwise, log }, 'votes', options);
  expect(await limit.look('a')).toBe(0);
  expect(await takeMany(limit, 'a', 4)).toEqual([0, 0, 0, 60]);
  expect(await limit.look('a')).toBe(60);
});
