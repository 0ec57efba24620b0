import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contrastRatio } from '../parts/contrast.ts';
import { toLightEnough } from './projector-color.ts';

const track = '#182238';
const colors = fc.integer({ min: 0, max: 0xff_ff_ff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);

test('any colour stands out from the track of a bar', () => {
  fc.assert(
    fc.property(colors, (color) => {
      expect(contrastRatio(toLightEnough(color, track), track)).toBeGreaterThanOrEqual(3);
    }),
  );
});

test('a light colour stays as it is, and a dark one keeps its hue', () => {
  expect(toLightEnough('#7db4ff', track)).toBe('#7db4ff');
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(toLightEnough('#7a0018', track).slice(start, start + 2), 16)); // prettier-ignore
  expect(red).toBeGreaterThan(blue ?? 0);
  expect(blue).toBeGreaterThan(green ?? 0);
});
