import { expect, test } from 'vitest';
import { emptyDraft, findOptionFaults, removeOption, setOption, toKind, toNewPoll, type Draft } from './draft.ts';

const now = Date.parse('2030-01-01T12:00:00Z');
const written: Draft = { ...emptyDraft, question: ' Tea or coffee? ', options: ['Tea', ' Coffee ', ''] };

test('a plain draft is a plain poll', () => {
  expect(toNewPoll(written, now)).toEqual({
    question: 'Tea or coffee?',
    options: ['Tea', 'Coffee'],
    electorate: 'cookie',
    revote: 'refuse',
    visibility: 'always',
    listed: true,
  });
});

test('what is unfolded and set is sent', () => {
  const draft: Draft = {
    ...written,
    slug: 'drinks',
    color: '#0b6b45',
    embedParents: 'https://a.example\n\nhttps://b.example ',
    opens: 'by_hand',
    closes: 'in_15',
  };
  expect(toNewPoll(draft, now)).toMatchObject({
    slug: 'drinks',
    color: '#0b6b45',
    embedParents: ['https://a.example', 'https://b.example'],
    draft: true,
    closesAt: '2030-01-01T12:15:00.000Z',
  });
});

test('a kind presets what it means', () => {
  expect(toNewPoll(toKind(written, 'several', ['Yes', 'No']), now)).toMatchObject({ selections: { min: 1, max: 2 } });
  expect(toNewPoll(toKind(written, 'board', ['Yes', 'No']), now)).toMatchObject({
    layout: 'board',
    electorate: 'open',
  });
  expect(toNewPoll(toKind(written, 'election', ['Yes', 'No']), now)).toMatchObject({
    electorate: 'declared',
    visibility: 'after_close',
  });
  expect(toKind(emptyDraft, 'yes_no', ['Yes', 'No']).options).toEqual(['Yes', 'No', '']);
  expect(toKind(written, 'yes_no', ['Yes', 'No']).options).toEqual(written.options);
});

test('pasted lines become options, and there is always room for one more', () => {
  expect(setOption({ options: ['', ''] }, 0, 'A\r\nB\n\n C')).toEqual(['A', 'B', 'C', '']);
  expect(setOption({ options: ['A', ''] }, 1, 'B')).toEqual(['A', 'B', '']);
  expect(setOption({ options: Array.from({ length: 199 }, String) }, 198, 'x\ny\nz')).toHaveLength(200);
  expect(removeOption({ options: ['A', 'B', ''] }, 1)).toEqual(['A', '']);
  expect(removeOption({ options: ['', ''] }, 0)).toEqual(['', '']);
});

test('an option that is there already is found', () => {
  expect([...findOptionFaults(['A', '', ' A', ''])]).toEqual([[2, 'repeated']]);
});
