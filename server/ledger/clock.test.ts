import { expect, test } from 'vitest';
import { createLedgerClock } from './clock.ts';
import type { Pool } from './postgres.ts';

/** The ledger's time goes on by itself; the system's is behind it by what somebody has set. An answer takes its way there and back. */
function createSample() {
  const time = { now: 1_700_000_000_000, systemBehindMs: 0 };
  const way = { thereMs: 1, backMs: 1, systemSetBackMs: 0 };
  const pool = {
    query() {
      time.now += way.thereMs;
      const rows = [{ now: time.now }];
      time.now += way.backMs;
      time.systemBehindMs += way.systemSetBackMs;
      return Promise.resolve({ rows });
    },
  } as unknown as Pool; // All that the clock asks of a pool.
  const systemNow = () => time.now - time.systemBehindMs;
  const clock = createLedgerClock(pool, systemNow);
  return { clock, time, way, systemNow, errorMs: () => Math.abs(clock.now() - time.now) };
}

test('before it was asked the ledger has the time of this system', () => {
  const { clock, systemNow } = createSample();
  expect(clock.now()).toBe(systemNow());
});

test('the ledger is known to within half a round trip', async () => {
  const { clock, time, way, errorMs } = createSample();
  time.systemBehindMs = 5_000;
  way.thereMs = 30;
  way.backMs = 10;
  await clock.measure();
  expect(errorMs()).toBeLessThanOrEqual(20);
});

test('two clocks that agree within the error are left alone', async () => {
  const { clock, time, systemNow } = createSample();
  time.systemBehindMs = 2;
  await clock.measure();
  expect(clock.now()).toBe(systemNow());
});

test('a slow answer does not replace a quick one of the last minute', async () => {
  const { clock, time, way, errorMs } = createSample();
  time.systemBehindMs = 5_000;
  await clock.measure();
  way.thereMs = 400;
  await clock.measure();
  expect(errorMs()).toBeLessThanOrEqual(1);
  time.now += 60_000;
  await clock.measure();
  expect(errorMs()).toBeGreaterThan(100);
  way.thereMs = 1;
  await clock.measure();
  expect(errorMs()).toBeLessThanOrEqual(1);
});

/** Set back, it makes the last good answer look young for as long as it was set back. */
test('a system clock that was set back is noticed by the next answer', async () => {
  const { clock, time, way, errorMs } = createSample();
  await clock.measure();
  time.systemBehindMs += 3_600_000;
  way.thereMs = 5;
  await clock.measure();
  expect(errorMs()).toBeLessThanOrEqual(10);
});

/** The round trip is then negative, and no honest answer can be quicker than that. */
test('an answer during which the system clock was set back is not believed for a minute', async () => {
  const { clock, way, errorMs } = createSample();
  await clock.measure();
  way.systemSetBackMs = 10_000;
  await clock.measure();
  way.systemSetBackMs = 0;
  await clock.measure();
  expect(errorMs()).toBeLessThanOrEqual(10);
});
