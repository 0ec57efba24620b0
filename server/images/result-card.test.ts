import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toQrSvg } from './qr-code.ts';
import { toResultCard, type Card } from './result-card.ts';

const card: Card = {
  question: 'Tea or coffee?',
  status: 'Open · 3 ballots',
  rows: [
    { text: 'Tea', votes: 2, share: 667, leads: true },
    { text: 'Coffee', votes: 1, share: 333, leads: false },
  ],
  options: ['Tea', 'Coffee'],
  accent: null,
  address: 'vote.example/p/drinks',
};

test('a card shows the question, the figures and the way to the vote', () => {
  const svg = toResultCard(card);
  for (const words of ['Tea or coffee?', '2 · 66.7 %', '1 · 33.3 %', 'vote.example/p/drinks'])
    expect(svg).toContain(words);
});

test('a card of hidden results shows the options and no figure', () => {
  const svg = toResultCard({ ...card, status: 'Open', rows: null });
  expect(svg).toContain('Coffee');
  expect(svg).not.toMatch(/%|ballots/u);
});

test('what does not fit is counted', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({
    text: `Option ${index}`,
    votes: 0,
    share: 0,
    leads: false,
  }));
  expect(toResultCard({ ...card, rows: many })).toMatch(/\+19\d more/u);
});

test('whatever people write stays text, and the picture stays XML', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const written = text.isWellFormed() ? text : 'x';
      const svg = toResultCard({ ...card, question: `<script>${written}</script>`, options: [written], rows: null });
      expect(svg).not.toContain('<script');
      expect(/\p{Cc}/u.test(svg.replaceAll('\n', ''))).toBe(false);
      expect(svg.match(/<text/gu)?.length).toBe(svg.match(/<\/text>/gu)?.length);
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
