import { expect, test } from 'vitest';
import { contrastRatio } from './contrast.ts';

test.for([
  ['#000000', '#ffffff', 21],
  ['#ffffff', '#ffffff', 1],
  ['#767676', '#ffffff', 4.54],
  ['#000', '#fff', 21],
  ['#1d4ed8', '#ffffff', 6.7],
] as const)('%s on %s: %d', ([a, b, ratio]) => {
  expect(contrastRatio(a, b)).toBeCloseTo(ratio, 1);
  expect(contrastRatio(b, a)).toBeCloseTo(ratio, 1);
});
