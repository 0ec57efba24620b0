import { expect, test } from 'vitest';
import { toAheadMs } from './ledger-clock.ts';

test('the page was made half way between the request for it and its first bytes', () => {
  const arrival = { timeOrigin: 1_000_000, requestStart: 20, responseStart: 100 };
  expect(toAheadMs(arrival, 1_000_060)).toBe(0);
  expect(toAheadMs(arrival, 940_060)).toBe(60_000);
  expect(toAheadMs(arrival, 1_060_060)).toBe(-60_000);
});
