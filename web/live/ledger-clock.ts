/** The ledger's time on a device whose own clock may be wrong. The page says at what time of the ledger it was made. */

export type Arrival = {
  /** Milliseconds since 1970 by the device, when the page was called up. */
  readonly timeOrigin: number;
  /** After that, in milliseconds: when the page was asked for, and when its first bytes came. */
  readonly requestStart: number;
  readonly responseStart: number;
};

/** By how many milliseconds the device is ahead of the ledger, to half of what the page was under way. Stays true however old the page gets. */
export function toAheadMs({ timeOrigin, requestStart, responseStart }: Arrival, madeAtMs: number): number {
  return timeOrigin + (requestStart + responseStart) / 2 - madeAtMs;
}

/** The ledger's time, in milliseconds since 1970. Only in a browser. `madeAtMs`: as the page says. */
export function readLedgerNow(madeAtMs: number): number {
  const [navigation] = performance.getEntriesByType('navigation');
  const { requestStart = 0, responseStart = 0 } = (navigation ?? {}) as Partial<PerformanceNavigationTiming>; // Entries of that type are these.
  return Date.now() - toAheadMs({ timeOrigin: performance.timeOrigin, requestStart, responseStart }, madeAtMs);
}
