import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRightToLeft, shorten, toDrawable, widthPxOf, wrap } from './fit-text.ts';

const font = { px: 40, bold: true };

test.for([
  ['  two\n lines\t', 'two lines'],
  ['🍵 Tea 👍🏽', 'Tea'],
  ['👍', ''],
  ['🏳️‍🌈👩‍👩‍👧‍👦 both', 'both'],
  ['😀 smile', '😀 smile'],
  ['I ❤️ tea ☎', 'I ❤ tea ☎'],
  ['\u202eevil\u202c \u2067x', 'evil x'],
  ['a\u0000b\u0007c\ufffe', 'a b c'],
  ['\ud800', '\ufffd'],
  ['می‌خواهم', 'می‌خواهم'],
  ['1️⃣ #1', '#1'],
] as const)('of %j a picture shows %j', ([text, shown]) => {
  expect(toDrawable(text)).toBe(shown);
});

test.for([
  ['Tea', false],
  ['شاي', true],
  ['1. תה', true],
  ['Tea شاي', false],
  ['?', false],
] as const)('%j is written from the right: %j', ([text, expected]) => {
  expect(isRightToLeft(text)).toBe(expected);
});

test('a text that fits is left alone, and one that does not is cut between characters', () => {
  expect(shorten('Tea', 500, font)).toBe('Tea');
  const shown = shorten('e\u0301'.repeat(100), 500, font);
  expect(shown).toMatch(/^(?:e\u0301)+…$/u);
});

test('lines break at spaces, and words that are longer than a line break anywhere', () => {
  expect(wrap('one two three', widthPxOf('one two', font) + 1, 9, font)).toEqual(['one two', 'three']);
  expect(wrap('WWWWWW', widthPxOf('WW', font) + 1, 9, font)).toEqual(['WW', 'WW', 'WW']);
  expect(wrap('one two three four', widthPxOf('one two', font) + 1, 2, font)).toEqual(['one two', 'three…']);
  expect(wrap('', 500, 2, font)).toEqual([]);
});

test('no line is wider than there is room, and without a limit no character is lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 60, max: 900 }), (text, widthPx) => {
      const drawable = toDrawable(text);
      const lines = wrap(drawable, widthPx, 1_000, font);
      expect(lines.join('').replaceAll(' ', '')).toBe(drawable.replaceAll(' ', ''));
      for (const line of [...lines, ...wrap(drawable, widthPx, 2, font), shorten(drawable, widthPx, font)]) {
        const isOneCharacter = [...new Intl.Segmenter().segment(line)].length <= 2;
        expect(isOneCharacter || widthPxOf(line, font) <= widthPx).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
