import { afterEach, expect, test, vi } from 'vitest';
import { createPreciseNow } from './precise-now.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Both clocks at once: the one of the system, in whole milliseconds, and the steady one. */
function setClocks(systemMs: number, steadyMs: number): void {
  vi.spyOn(Date, 'now').mockReturnValue(Math.floor(systemMs));
  vi.spyOn(performance, 'now').mockReturnValue(steadyMs);
}

test('it agrees with the system to within two milliseconds and has a finer step', () => {
  const now = createPreciseNow();
  // The process may have to wait for its turn between any two of these.
  const readings = Array.from({ length: 1_000 }, () => ({ before: Date.now(), precise: now(), after: Date.now() }));
  for (const { before, precise, after } of readings) {
    expect(precise).toBeGreaterThanOrEqual(before - 2);
    expect(precise).toBeLessThanOrEqual(after + 2);
  }
  expect(readings.some(({ precise }) => !Number.isInteger(precise))).toBe(true);
});

test('it goes on steadily while the system does', () => {
  setClocks(1_000_000, 50);
  const now = createPreciseNow();
  const first = now();
  setClocks(1_000_000.75, 50.75);
  expect(now() - first).toBeCloseTo(0.75);
});

test.for([3_600_000, -3_600_000])('a system clock that is set by %d ms is followed at once', (step) => {
  setClocks(10_000_000, 50);
  const now = createPreciseNow();
  now();
  setClocks(10_000_000 + step + 1, 51);
  expect(now()).toBe(10_000_000 + step + 1);
});
