/** What every rate limit promises, wherever it counts. */
import { describe, expect, test } from 'vitest';
import type { RateLimit, RateLimits } from '../../server/ops/rate-limit.ts';

const options = { timesMax: 3, windowSeconds: 60 };
const short = { timesMax: 2, windowSeconds: 1 };
const patience = { timeout: 20_000, interval: 20 };

export async function takeMany(limit: RateLimit, key: string, count: number): Promise<number[]> {
  const waits: number[] = [];
  for (let index = 0; index < count; index += 1) waits.push(await limit.take(key));
  return waits;
}

/** Whether each had room. The seconds depend on the moment. */
export const hadRoom = (waits: readonly number[]): boolean[] => waits.map((seconds) => seconds === 0);

/** `open` answers limits that nobody has used. */
export function describeRateLimits(name: string, open: () => RateLimits | Promise<RateLimits>): void {
  describe(`a rate limit ${name}`, () => {
    test('lets each key through its number of times, and says when there is room again', async () => {
      const limit = (await open()).create('votes', options);
      const waits = await takeMany(limit, 'a', 5);
      expect(hadRoom(waits)).toEqual([true, true, true, false, false]);
      for (const seconds of waits.slice(3)) {
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(60);
      }
      expect(hadRoom(await takeMany(limit, 'b', 1))).toEqual([true]);
    });

    test('has room again when the window is over', async () => {
      const limit = (await open()).create('votes', short);
      expect(hadRoom(await takeMany(limit, 'a', 2))).toEqual([true, true]);
      await expect.poll(() => limit.look('a'), patience).toBe(0);
      expect(hadRoom(await takeMany(limit, 'a', 1))).toEqual([true]);
    });

    test('looks without counting', async () => {
      const limit = (await open()).create('votes', options);
      for (let round = 0; round < 10; round += 1) expect(await limit.look('a')).toBe(0);
      await takeMany(limit, 'a', 2);
      expect(await limit.look('a')).toBe(0);
      await takeMany(limit, 'a', 1);
      for (let round = 0; round < 3; round += 1) expect(await limit.look('a')).toBeGreaterThanOrEqual(1);
      expect(await limit.look('b')).toBe(0);
    });

    test('counts each name for itself', async () => {
      const limits = await open();
      await takeMany(limits.create('votes', options), 'a', 3);
      expect(await limits.create('codes', options).look('a')).toBe(0);
    });

    test('lets no more through when all come at once', async () => {
      const limit = (await open()).create('votes', { timesMax: 10, windowSeconds: 60 });
      const waits = await Promise.all(Array.from({ length: 100 }, async () => limit.take('a')));
      expect(hadRoom(waits).filter(Boolean)).toHaveLength(10);
    });

    test('takes any text as a key', async () => {
      const limit = (await open()).create('votes', { timesMax: 1, windowSeconds: 60 });
      for (const key of ['', ' ', '2001:db8::1', 'a\u0000b', '\ud800', 'x'.repeat(100_000), '*', 'a\r\nb']) {
        expect(hadRoom(await takeMany(limit, key, 2))).toEqual([true, false]);
      }
    });
  });
}
