import { expect, test } from 'vitest';
import {
  emptyDraft,
  findChoiceLimit,
  findOptionFaults,
  kinds,
  removeOption,
  setOption,
  toKind,
  toNewPoll,
  type Draft,
} from './draft.ts';

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

test('several choices are all options that are named in the end, until somebody sets a maximum', () => {
  const early = toKind(emptyDraft, 'several', ['Yes', 'No']);
  const options = ['A', 'B', 'C', 'D', 'E', ''];
  expect(toNewPoll({ ...early, options }, now)).toMatchObject({ selections: { min: 1, max: 5 } });
  expect(findChoiceLimit({ ...early, options })).toBeNull();
  expect(toNewPoll({ ...early, options, selectionsMax: 3 }, now)).toMatchObject({ selections: { min: 1, max: 3 } });
  expect(findChoiceLimit({ ...early, options, selectionsMax: 3 })).toBe(3);
});

test('another kind keeps what was chosen by hand', () => {
  const chosen: Draft = { ...written, electorate: 'declared', visibility: 'manager' };
  for (const kind of kinds) {
    expect(toNewPoll(toKind(chosen, kind, ['Yes', 'No']), now)).toMatchObject({
      electorate: 'declared',
      visibility: 'manager',
    });
  }
  expect(toNewPoll(toKind({ ...written, selectionsMax: 2 }, 'single', ['Yes', 'No']), now)).not.toHaveProperty(
    'selections',
  );
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
