import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toPauseMs } from './cast.ts';

test('pauses grow, stay below their limit, and never end before the server wants', () => {
  const failures = fc.integer({ min: 1, max: 40 });
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(failures, random, fc.integer({ min: 1, max: 60_000 }), (count, drawn, retryAfterMs) => {
      expect(toPauseMs(count, null, drawn)).toBeGreaterThanOrEqual(250);
      expect(toPauseMs(count, null, drawn)).toBeLessThanOrEqual(20_000);
      expect(toPauseMs(count + 1, null, drawn)).toBeGreaterThanOrEqual(toPauseMs(count, null, drawn));
      expect(toPauseMs(count, retryAfterMs, drawn)).toBeGreaterThanOrEqual(retryAfterMs);
    }),
  );
});
