import { expect, test } from 'vitest';
import { toCountdownText } from './countdown.ts';

test.for([
  [0, '00:00'],
  [-5_000, '00:00'],
  [1, '00:01'],
  [252_000, '04:12'],
  [3_852_000, '1:04:12'],
  [90_061_000, '1 d 01:01:01'],
] as const)('%i ms show as %s', ([leftMs, text]) => {
  expect(toCountdownText(leftMs)).toBe(text);
});
