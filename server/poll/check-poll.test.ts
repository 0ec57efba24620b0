import { expect, test } from 'vitest';
import { checkPoll, checkTerms, isSlug, isStorable, isText, type PollDraft } from './check-poll.ts';

const now = 1_000;
const sound: PollDraft = {
  question: 'Tea or coffee?',
  description: null,
  electorate: 'declared',
  electorateSize: null,
  revote: 'refuse',
  visibility: 'always',
  selectionsMin: 1,
  selectionsMax: 1,
  listed: true,
  layout: 'ballot',
  color: null,
  embedParents: [],
  slug: null,
  options: [
    { id: '1', text: 'Tea', description: null },
    { id: '2', text: 'Coffee', description: 'Black' },
  ],
  opensAt: now,
  closesAt: null,
};
const optionsOf = (...options: [id: string, text: string, description?: string][]) =>
  options.map(([id, text, description = null]) => ({ id, text, description }));

test('a sound poll breaks no rule', () => {
  expect(checkPoll(sound, now)).toEqual([]);
  expect(checkPoll({ ...sound, slug: 'tea-2030', opensAt: null, closesAt: now + 1 }, now)).toEqual([]);
  expect(checkPoll({ ...sound, selectionsMin: 0, selectionsMax: 2, electorateSize: 5 }, now)).toEqual([]);
});

test.for<[change: Partial<PollDraft>, pointer: string, rule: string]>([
  [{ question: ' \t\n' }, '/question', 'text_required'],
  [{ question: 'a\u0000b' }, '/question', 'text_required'],
  [{ question: '\ud800' }, '/question', 'text_required'],
  [{ description: '\u0000' }, '/description', 'text_unusable'],
  [{ selectionsMin: 2, selectionsMax: 1 }, '/selections/min', 'min_above_max'],
  [{ selectionsMax: 3 }, '/selections/max', 'max_above_option_count'],
  [{ electorate: 'cookie', electorateSize: 9 }, '/electorateSize', 'electorate_size_unknowable'],
  [{ electorate: 'open', revote: 'replace' }, '/revote', 'replace_needs_voters'],
  [{ slug: 'Tea' }, '/slug', 'slug_malformed'],
  [{ color: 'red' }, '/color', 'color_malformed'],
  [{ color: '#1D4ED8' }, '/color', 'color_malformed'],
  [{ embedParents: ['https://example.org', 'example.org'] }, '/embedParents/1', 'origin_malformed'],
  [{ embedParents: ['https://example.org/'] }, '/embedParents/0', 'origin_malformed'],
  [{ embedParents: ["https://a.b;script-src 'unsafe-inline'"] }, '/embedParents/0', 'origin_malformed'],
  [{ embedParents: ['javascript://x'] }, '/embedParents/0', 'origin_malformed'],
  [{ options: optionsOf(['1', 'Tea'], ['2', ' ']) }, '/options/1/text', 'text_required'],
  [{ options: optionsOf(['1', 'Tea'], ['2', ' Tea ']) }, '/options/1/text', 'text_repeated'],
  [{ options: optionsOf(['1', 'Caf\u00e9'], ['2', 'Cafe\u0301']) }, '/options/1/text', 'text_repeated'],
  [{ options: optionsOf(['1', 'Tea'], ['1', 'Coffee']) }, '/options/1/id', 'id_repeated'],
  [{ options: optionsOf(['1', 'Tea'], ['', 'Coffee']) }, '/options/1/id', 'text_required'],
  [{ options: optionsOf(['1', 'Tea', '\udfff'], ['2', 'Coffee']) }, '/options/0/description', 'text_unusable'],
  [{ closesAt: now }, '/closesAt', 'time_in_the_past'],
  [{ opensAt: now + 5, closesAt: now + 5 }, '/closesAt', 'closes_before_opens'],
])('%j breaks one rule: %s %s', ([change, pointer, rule]) => {
  expect(checkPoll({ ...sound, ...change }, now)).toEqual([{ pointer, rule }]);
});

test('every broken rule is named, in the order of the fields', () => {
  const broken = { ...sound, question: '', selectionsMax: 9, slug: '-', options: optionsOf(['1', '']), closesAt: 1 };
  expect(checkPoll(broken, now).map(({ pointer }) => pointer)).toEqual([
    '/question',
    '/selections/max',
    '/slug',
    '/options/0/text',
    '/closesAt',
  ]);
});

test('terms are checked against the options that stand', () => {
  expect(checkTerms({ ...sound, selectionsMax: 3 }, 3)).toEqual([]);
  expect(checkTerms({ ...sound, selectionsMax: 3 }, 2)).toHaveLength(1);
});

test.for([
  ['a', true],
  ['a-1-b', true],
  ['0', true],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['', false],
  ['a--b', false],
  ['-a', false],
  ['a-', false],
  ['a\n', false],
  ['ä', false],
  ['deadbeef-cafe-4000', false],
  ['deadbeef-caf', true],
] as const)('the slug %j is one: %s', ([slug, expected]) => {
  expect(isSlug(slug)).toBe(expected);
});

test('text says something and can be stored', () => {
  expect(['a', ' 😀 ', 'مرحبا'].every(isText)).toBe(true);
  expect(['', '\u00a0', '\ufeff'].some(isText)).toBe(false);
  expect(isStorable('')).toBe(true);
  expect(isStorable('\ud83d')).toBe(false);
});
