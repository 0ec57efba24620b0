import { createRequire } from 'node:module';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { expect, test } from 'vitest';
import { widthOf } from './text-width.ts';

const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => path.join(folder, name));
const px = 100;

/** As wide as the renderer draws it, from the first stroke to the last. */
function drawnWidthOf(text: string, isBold: boolean): number {
  const font = `font-family="DejaVu Sans" font-size="${px}" font-weight="${isBold ? 700 : 400}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="200"><text x="50" y="120" ${font}>${text}</text></svg>`;
  const box = new Resvg(svg, { font: { fontFiles, loadSystemFonts: false } }).innerBBox();
  return (box?.width ?? 0) / px;
}

const latin = [
  'Which of these shall we build first?',
  'WWWWWWWWWW',
  'iiiiiiiiii',
  '1,200,481 100.0 %',
  'Grüße, Ærø, naïve façade',
];
const others = [
  'Какой напиток вы любите?',
  'Ποιο ποτό προτιμάτε;',
  'ما هو مشروبك المفضل',
  'מה המשקה האהוב עליך',
  'Որն է ձեր սիրելի',
];

test.for([...latin, ...others].flatMap((text) => [false, true].map((isBold) => [text, isBold] as const)))(
  'the width of %j (bold: %j) is that of the renderer, or more',
  ([text, isBold]) => {
    const parts = widthOf(text, isBold) / drawnWidthOf(text, isBold);
    // The space before the first stroke and after the last is not drawn; letters move together.
    expect(parts).toBeGreaterThan(0.98);
    expect(parts).toBeLessThan(latin.includes(text) ? 1.08 : 1.75);
  },
);

test('marks and joiners have no width, squares have that of their size', () => {
  expect(widthOf('e\u0301', false)).toBe(widthOf('e', false));
  expect(widthOf('\u00e9', false)).toBe(widthOf('e', false));
  expect(widthOf('\u200d', false)).toBe(0);
  expect(widthOf('日本한', true)).toBeCloseTo(3.15);
});
