import { Resvg } from '@resvg/resvg-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toQrSvg } from './qr-code.ts';
import { toResultCard, type Card, type CardOption } from './result-card.ts';

const tea: CardOption = { text: 'Tea', place: 1, result: { votes: 2_000, share: 667, leads: true } };
const coffee: CardOption = { text: 'Coffee', place: 2, result: { votes: 999, share: 333, leads: false } };
const card: Card = {
  question: 'Tea or coffee?',
  status: 'Open · 2,999 ballots',
  options: [tea, coffee],
  accent: null,
  address: 'vote.example/p/drinks',
};
const hide = (option: CardOption): CardOption => ({ ...option, result: null });

/** The texts of a picture, from top to bottom, and where each begins or ends. */
function textsOf(svg: string): { x: number; fromRight: boolean; text: string }[] {
  return [...svg.matchAll(/<text x="([\d.]+)"( text-anchor="end")?[^>]*>([^<]*)<\/text>/gu)].map(
    ([, x, anchor, text = '']) => ({ x: Number(x), fromRight: anchor !== undefined, text }),
  );
}

test('a card shows the question, the figures and the way to the vote', () => {
  const words = textsOf(toResultCard(card)).map(({ text }) => text);
  expect(words).toEqual([
    'Hustings',
    'Open · 2,999 ballots',
    'Tea or coffee?',
    ...['Tea', '2,000', '66.7 %'],
    ...['Coffee', '999', '33.3 %'],
    'vote.example/p/drinks',
  ]);
});

test('a card of hidden results shows the options and no figure', () => {
  const svg = toResultCard({ ...card, status: 'Open', options: card.options.map(hide) });
  expect(svg).toContain('Coffee');
  expect(svg).not.toMatch(/%|ballots|2,000/u);
});

test('five options are shown at most, and the others are counted', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ ...tea, text: `Option ${index}` }));
  for (const options of [many, many.map(hide)]) {
    const svg = toResultCard({ ...card, options });
    expect(svg.match(/>Option \d+</gu)).toHaveLength(5);
    expect(svg).toContain('+195 more');
  }
  expect(toResultCard({ ...card, options: many.slice(0, 5) })).not.toContain('more');
});

test('a card whose question is written from the right is its mirror', () => {
  const svg = toResultCard({ ...card, question: 'שאלה?' });
  const width = 1200;
  const places = (picture: string) => textsOf(picture).map(({ x, fromRight }) => Math.round(fromRight ? width - x : x));
  const sides = (picture: string) => textsOf(picture).map(({ fromRight }) => fromRight);
  expect(places(svg)).toEqual(places(toResultCard(card)));
  expect(sides(svg)).toEqual(sides(toResultCard(card)).map((fromRight) => !fromRight));
  expect(svg).toContain('\u202bשאלה?\u202c');
});

test('an option of which nothing can be drawn goes by its place on the ballot', () => {
  const words = textsOf(toResultCard({ ...card, question: '🎉', options: [{ ...coffee, text: '👎' }] }));
  expect(words.map(({ text }) => text)).toEqual(expect.arrayContaining(['A poll', 'Option 2']));
});

test('a vote shows however small its share is, and no vote shows none', () => {
  const barsOf = (votes: number): number => {
    const options = [tea, { ...coffee, result: { votes, share: 0, leads: false } }];
    return toResultCard({ ...card, options }).match(/fill="#a9bdf2"/gu)?.length ?? 0;
  };
  expect([barsOf(0), barsOf(1)]).toEqual([0, 1]);
});

test('whatever people write stays text, and the picture stays XML of its size', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const options = [{ ...tea, text }, hide({ ...coffee, text })];
      const svg = toResultCard({ ...card, question: `<script>${text}</script>`, options });
      expect(svg).not.toContain('<script');
      expect(/\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(svg.replaceAll('\n', ''))).toBe(false);
      expect(svg.match(/<text/gu)?.length).toBe(svg.match(/<\/text>/gu)?.length);
      const { width, height } = new Resvg(svg, { font: { loadSystemFonts: false } });
      expect([width, height]).toEqual([1200, 630]);
    }),
    { numRuns: 200 },
  );
});

test('a QR code is black on white with a quiet zone of four modules', () => {
  const svg = toQrSvg('https://vote.example/p/drinks');
  const size = Number(/viewBox="0 0 (\d+) \1"/u.exec(svg)?.[1]);
  expect(size).toBe(37);
  const starts = [...svg.matchAll(/M(\d+) (\d+)h/gu)].flatMap(([, x, y]) => [Number(x), Number(y)]);
  expect(Math.min(...starts)).toBe(4);
});
