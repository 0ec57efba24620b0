/**
 * How often somebody may do something. The key names who: an address, a user.
 *
 * A window begins with the first time and not by the clock, so no moment lets twice as many through. Never rejects: where what is counted with
 * others cannot be had, each process counts for itself. Repeats count again. Loss: a count that is forgotten begins anew.
 */
export type RateLimit = {
  /** Counts one more under this key. Answers 0 within the limit, and beyond it the seconds until there is room again. */
  take(key: string): number | Promise<number>;
  /** The same of one more that is not counted: for what counts only when it goes wrong. */
  look(key: string): number | Promise<number>;
};

export type RateLimitOptions = {
  /** How often within one window. */
  readonly timesMax: number;
  readonly windowSeconds: number;
};

/** Rate limits for everybody who needs one. Those of one name count together, in every process that shares a memory. */
export type RateLimits = {
  create(name: string, options: RateLimitOptions): RateLimit;
};
