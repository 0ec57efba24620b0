/**
 * The ledger's clock as this process knows it. The ledger decides what is in time; this estimate serves what only shows
 * the time: states, countdowns, windows.
 */
import type { Pool } from './postgres.ts';

export type LedgerClock = {
  /** Milliseconds since 1970 by the ledger's clock, to within half a round trip. */
  now(): number;
  /** What `now` adds to the clock of this system. Milliseconds. */
  offsetMs(): number;
  /** How far `now` may be off: half of a round trip, and more the longer ago that was. Infinite before the first answer. */
  errorMs(): number;
  /** Asks the ledger for its time. Of several answers the quickest in the last minute is believed. */
  measure(): Promise<void>;
};

const believedMs = 60_000;
/** How far the clocks of two machines part in a second, at the worst. Milliseconds. */
const driftMsPerSecond = 0.5;

export function createLedgerClock(pool: Pool, systemNow: () => number = Date.now): LedgerClock {
  let offsetMs = 0;
  let errorMs = Number.POSITIVE_INFINITY;
  let measuredAt = 0;
  return {
    now: () => systemNow() + offsetMs,
    offsetMs: () => offsetMs,
    errorMs: () => errorMs + (Math.abs(systemNow() - measuredAt) / 1_000) * driftMsPerSecond,
    async measure() {
      const askedAt = systemNow();
      const { rows } = await pool.query<{ now: number }>('select clock_timestamp() as now');
      const answeredAt = systemNow();
      const roundTripMs = answeredAt - askedAt;
      // Below zero, the system's clock was set back meanwhile, and the answer says nothing.
      if (rows[0] === undefined || roundTripMs < 0) return;
      const isOld = answeredAt - measuredAt >= believedMs || answeredAt < measuredAt;
      if (roundTripMs / 2 > errorMs && !isOld) return;
      errorMs = roundTripMs / 2;
      measuredAt = answeredAt;
      // Within its error the offset says nothing: two clocks that agree are left alone.
      const differenceMs = rows[0].now - (askedAt + answeredAt) / 2;
      offsetMs = Math.abs(differenceMs) <= errorMs + 1 ? 0 : Math.round(differenceMs);
    },
  };
}
