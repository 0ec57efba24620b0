import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSharedPages, formKeyMark, toSharedPage } from './shared-pages.ts';

const values = { nowMs: 1_795_000_000_123, formKey: '00000000-0000-4000-8000-000000000000' };
const pieces = fc.array(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(formKeyMark, '"nowMs":1795000000000')),
);

test('any page, packed or not, has the values of its visitor in every hole and is the same elsewhere', () => {
  fc.assert(
    fc.property(pieces, (texts) => {
      const page = toSharedPage(texts.join('|'));
      const expected = texts
        .join('|')
        .replaceAll(formKeyMark, values.formKey)
        .replace('"nowMs":1795000000000', `"nowMs":${values.nowMs}`);
      expect(page.plain(values)).toBe(expected);
      expect(gunzipSync(page.packed(values)).toString()).toBe(Buffer.from(expected).toString());
    }),
  );
});

test('what people wrote is no hole', () => {
  const question = JSON.stringify({ question: '"nowMs":5' });
  expect(toSharedPage(question).plain(values)).toBe(question);
});

test('a page is made once for a name, and again when it was forgotten for others', () => {
  const pages = createSharedPages();
  let made = 0;
  const find = (name: string) => pages.find(name, () => `page ${name} ${(made += 1)}`).plain(values);
  expect([find('a'), find('a')]).toEqual(['page a 1', 'page a 1']);
  for (let other = 0; other < 255; other += 1) find(`other ${other}`);
  expect(find('a')).toBe('page a 1');
  for (let other = 255; other < 511; other += 1) find(`other ${other}`);
  expect(find('a')).toBe('page a 513');
});

test('large pages are forgotten sooner', () => {
  const pages = createSharedPages();
  let made = 0;
  const find = (name: string) => pages.find(name, () => `${(made += 1)}${'x'.repeat(6_000_000)}`);
  for (const name of ['a', 'b', 'c', 'a']) find(name);
  expect(made).toBe(4);
});
