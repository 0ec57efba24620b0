import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSlug, slugCharsMax } from './check-poll.ts';
import { drawJoinCode, drawSlug, toJoinCode, type Draw } from './names.ts';

const first: Draw = () => 0;
const last: Draw = (below) => below - 1;

test('a join code has six characters, none of which looks like another', () => {
  const drawn = new Set<string>();
  for (let place = 0; place < 31; place += 1) drawn.add(drawJoinCode(() => place));
  expect(drawn.size).toBe(31);
  expect([...drawn].every((code) => /^[2-9A-HJKMNP-Z]{6}$/u.test(code))).toBe(true);
  expect([drawJoinCode(first), drawJoinCode(last)]).toEqual(['222222', 'ZZZZZZ']);
});

test('a join code is found however it is typed', () => {
  expect(toJoinCode(' ab-c d\u00a0ef ')).toBe('ABCDEF');
});

test.for([
  ['Tea or coffee?', 'tea-or-coffee-2222'],
  ['Où est Zoë à 7h?', 'ou-est-zoe-a-7h-2222'],
  ['ÅNGSTRÖM ﬁ', 'angstrom-fi-2222'],
  ['投票?', 'poll-2222'],
  ['   ', 'poll-2222'],
  ['--a--', 'a-2222'],
] as const)('the question %j gets the slug %s', ([question, slug]) => {
  expect(drawSlug(question, first)).toBe(slug);
});

test('a long question gets a slug of the longest length at most, without a dash before the suffix', () => {
  expect(drawSlug('x'.repeat(500), first)).toHaveLength(slugCharsMax);
  expect(drawSlug(`${'x'.repeat(58)} ${'y'.repeat(9)}`, first)).toBe(`${'x'.repeat(58)}-2222`);
});

test('whatever is asked, the slug is one', () => {
  const draw = fc.integer({ min: 0, max: 30 });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), draw, (question, drawn) => {
      expect(isSlug(drawSlug(question, () => drawn))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** Such a slug is taken for an id wherever an address names a poll, so the poll cannot be found by it. */
test('a question that begins like an id gets a slug that does not', () => {
  expect(isSlug(drawSlug('20250101 2026: which budget?', first))).toBe(true);
});
