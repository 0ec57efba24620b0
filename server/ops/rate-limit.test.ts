import { expect, test } from 'vitest';
import { createMemoryRateLimit } from './rate-limit.ts';
import { createSharedRateLimit } from './rate-limit-shared.ts';

const options = { timesMax: 3, windowSeconds: 60 };
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function takeMany(limit: ReturnType<typeof createMemoryRateLimit>, key: string, count: number) {
  return Array.from({ length: count }, () => limit.take(key));
}

test('within a window each key has its number of times, and hears when there is room again', () => {
  let now = 0;
  const limit = createMemoryRateLimit(options, () => now);
  expect(takeMany(limit, 'a', 4)).toEqual([0, 0, 0, 60]);
  now = 59_001;
  expect(takeMany(limit, 'a', 1)).toEqual([1]);
  expect(takeMany(limit, 'b', 1)).toEqual([0]);
  now = 60_000;
  expect(takeMany(limit, 'a', 4)).toEqual([0, 0, 0, 60]);
  expect(takeMany(limit, 'b', 3)).toEqual([0, 0, 60]);
});

test('of very many keys the oldest are forgotten', () => {
  const limit = createMemoryRateLimit({ timesMax: 1, windowSeconds: 60 }, () => 0);
  for (let user = 0; user <= 100_000; user += 1) expect(limit.take(`user-${user}`)).toBe(0);
  expect(limit.take('user-100000')).toBe(60);
  expect(limit.take('user-0')).toBe(0);
});

test('while the shared memory is away each process counts for itself', async () => {
  const limit = createSharedRateLimit(
    {
      memory: { count: () => Promise.reject(new Error('away')) },
      otherwise: createMemoryRateLimit(options, () => 0),
      log,
    },
    options,
  );
  const taken = await Promise.all(takeMany(limit, 'a', 4).map((seconds) => Promise.resolve(seconds)));
  expect(taken).toEqual([0, 0, 0, 60]);
});
