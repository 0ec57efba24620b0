import { expect, test } from 'vitest';
import { NewPoll } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';
import { de } from '../texts/de.ts';
import { en } from '../texts/en.ts';
import { charsMax, entriesMax, toRefusalText } from './refusal-text.ts';

const labels = {
  question: 'Question',
  closesAt: 'Closes',
  slug: 'Address',
  options: 'Option {number}',
  embedParents: 'Sites',
};

function toProblem(fields: Partial<Problem>): Problem {
  const { code = 'poll_invalid', status = 422, detail = 'The poll breaks a rule.' } = fields;
  return {
    type: `/problems/${code}`,
    title: 'No',
    instance: 'urn:request:1',
    recorded: 'no',
    ...fields,
    code,
    status,
    detail,
  };
}

const say = (...violations: [pointer: string, rule: string][]): string =>
  toRefusalText(
    toProblem({ violations: violations.map(([pointer, rule]) => ({ pointer, rule })) }),
    en.home.refusals,
    labels,
  );

test.for([
  ['/closesAt', 'time_in_the_past', '“Closes”: This time has passed already.'],
  ['/closesAt', 'closes_before_opens', '“Closes”: The close must come after the opening.'],
  ['/closesAt', 'pattern', '“Closes”: There is no such date.'],
  ['/slug', 'pattern', '“Address”: Only small letters, digits and single dashes between them.'],
  ['/slug', 'slug_malformed', '“Address”: Only small letters, digits and single dashes between them.'],
  ['/slug', 'max_length', '“Address”: At most 64 characters fit.'],
  ['/question', 'min_length', '“Question”: Something must stand here.'],
  ['/question', 'max_length', '“Question”: At most 1000 characters fit.'],
  ['/options/2', 'max_length', '“Option 3”: At most 500 characters fit.'],
  ['/options/2/text', 'text_repeated', '“Option 3”: This stands there twice.'],
  ['/options', 'min_items', 'At least two are needed.'],
  ['/options', 'max_items', 'At most 200 are possible.'],
  [
    '/embedParents/0',
    'origin_malformed',
    '“Sites”, entry 1: A site is written like https://example.org, without a path; * stands for all.',
  ],
  ['/embedParents', 'max_items', '“Sites”: At most 20 are possible.'],
  ['/selections/min', 'min_above_max', '“From” must not be more than “to”.'],
  ['/selections/max', 'max_above_option_count', 'There are fewer options than one voter may choose.'],
  ['/electorate', 'token_not_configured', 'This server cannot check tokens.'],
] as const)('%s with %s is said in plain words', ([pointer, rule, words]) => {
  expect(say([pointer, rule])).toBe(words);
});

test('several broken rules are several sentences, and the branches of a union are none', () => {
  expect(
    say(['/closesAt', 'pattern'], ['/closesAt', 'type'], ['/closesAt', 'any_of'], ['/question', 'text_required']),
  ).toBe('“Closes”: There is no such date. “Question”: Something must stand here.');
});

test('a code says what no place can, and the words of the server are the last resort', () => {
  const words = (fields: Partial<Problem>): string => toRefusalText(toProblem(fields), en.home.refusals, labels);
  expect(words({ code: 'slug_taken', status: 409 })).toBe('“Address”: Another vote has this address already.');
  expect(words({ code: 'create_key_wrong', status: 403 })).toBe('This is not the create key of this server.');
  expect(words({ code: 'ledger_unavailable', status: 503 })).toBe(en.home.refusals.busy);
  expect(words({ violations: [{ pointer: '/size', rule: 'unheard_of' }] })).toBe('The poll breaks a rule.');
});

test('a German page says it in German', () => {
  const problem = toProblem({ violations: [{ pointer: '/closesAt', rule: 'time_in_the_past' }] });
  expect(toRefusalText(problem, de.home.refusals, { closesAt: de.home.closes })).toBe(
    '„Schließt“: Dieser Zeitpunkt ist schon vorbei.',
  );
});

test('the limits that are told are those of the API', () => {
  const { question, description, options, slug, embedParents } = charsMax;
  expect(NewPoll.properties).toMatchObject({
    question: { maxLength: question },
    description: { anyOf: [{ maxLength: description }, {}] },
    options: { maxItems: entriesMax['options'], items: { anyOf: [{ maxLength: options }, {}] } },
    slug: { maxLength: slug },
    embedParents: { maxItems: entriesMax['embedParents'], items: { maxLength: embedParents } },
  });
});
