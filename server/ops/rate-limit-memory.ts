/** A rate limit in the memory of this process: each process of an installation counts for itself. */
import type { RateLimit, RateLimitOptions } from './rate-limit.ts';

/** More keys than these are forgotten, the one whose window ends first before the others. About 15 MB. */
const keysMax = 100_000;

/** `now` in milliseconds, never stepping back. */
export function createMemoryRateLimit({ timesMax, windowSeconds }: RateLimitOptions, now: () => number): RateLimit {
  // In the order in which their windows end, because all are equally long.
  const windows = new Map<string, { count: number; readonly endsAt: number }>();
  const secondsLeft = (endsAt: number, at: number): number => Math.ceil((endsAt - at) / 1_000);
  return {
    take(key) {
      const at = now();
      let window = windows.get(key);
      if (window === undefined || at >= window.endsAt) {
        windows.delete(key);
        window = { count: 0, endsAt: at + windowSeconds * 1_000 };
        windows.set(key, window);
        const [oldest] = windows.keys();
        if (windows.size > keysMax && oldest !== undefined) windows.delete(oldest);
      }
      window.count += 1;
      return window.count <= timesMax ? 0 : secondsLeft(window.endsAt, at);
    },
    look(key) {
      const at = now();
      const window = windows.get(key);
      if (window === undefined || at >= window.endsAt) return 0;
      return window.count < timesMax ? 0 : secondsLeft(window.endsAt, at);
    },
  };
}
