/** How often somebody may do something. */

export type RateLimit = {
  /** Counts one more under this key. Answers 0 within the limit, and beyond it the seconds until there is room again. Never rejects. */
  take(key: string): number | Promise<number>;
};

export type RateLimitOptions = {
  /** How often within one window. A window begins with the first time and not by the clock, so no moment lets twice as many through. */
  readonly timesMax: number;
  readonly windowSeconds: number;
};

/** More keys than these are forgotten, the one whose window ends first before the others. About 15 MB. */
const keysMax = 100_000;

/** In the memory of this process: each process of an installation counts for itself. `now` in milliseconds. */
export function createMemoryRateLimit({ timesMax, windowSeconds }: RateLimitOptions, now: () => number): RateLimit {
  // In the order in which their windows end, because all are equally long.
  const windows = new Map<string, { count: number; readonly endsAt: number }>();
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
      return window.count <= timesMax ? 0 : Math.ceil((window.endsAt - at) / 1_000);
    },
  };
}
