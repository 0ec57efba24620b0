import { expect, test } from 'vitest';
import { createProgressLine } from './progress-line.ts';

function draw(isTTY: boolean, steps: readonly number[], all: number): string {
  let text = '';
  const line = createProgressLine({ isTTY, write: (part) => (text += part) }, 'Casting', all);
  for (const step of steps) line.show(step);
  line.end();
  return text;
}

test('without a terminal there is a line for each tenth and no control character', () => {
  const steps = Array.from({ length: 3_000 }, (_, index) => index + 1);
  const lines = draw(false, steps, 3_000).trimEnd().split('\n');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe('Casting: 300 of 3000');
  expect(lines.at(-1)).toBe('Casting: 3000 of 3000');
  expect(lines.join('')).not.toMatch(/\p{Cc}/u);
});

test('on a terminal one line is drawn over itself, and the end is always drawn', () => {
  const text = draw(true, [1, 2, 3, 4], 4);
  expect(text.endsWith('\rCasting [##############################] 4/4\n')).toBe(true);
  expect(text.split('\n')).toHaveLength(2);
});
