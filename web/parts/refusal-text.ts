/** A refusal of the server in the words of the catalogue: which field of the form, and what is wrong there. */
import type { Problem } from '../../protocol/problem.ts';
import type { Catalogue } from '../texts/en.ts';
import { fill } from '../texts/wording.ts';

/** Where no answer came, or none of this server. */
export const unreachable = 'unreachable';

export type RefusalTexts = Catalogue['home']['refusals'];
type RuleName = keyof RefusalTexts['rules'];
type Violation = NonNullable<Problem['violations']>[number];

/** How the form calls a member of the body. With `{number}` in it, it is the name of one entry of a list. */
export type FieldLabels = Readonly<Partial<Record<string, string>>>;

/** How many characters a text of the member has. Tests hold it against the schema of the API. */
export const charsMax: Readonly<Record<string, number>> = {
  question: 1_000,
  description: 4_000,
  options: 500,
  slug: 64,
  embedParents: 255,
};
export const entriesMax: Readonly<Record<string, number>> = { options: 200, embedParents: 20 };

/** What the keywords of the schema mean to somebody who fills in a form. */
const ruleOfKeyword: Readonly<Record<string, RuleName>> = {
  required: 'text_required',
  min_length: 'text_required',
  max_length: 'too_long',
  min_items: 'too_few',
  max_items: 'too_many',
  minimum: 'number_out_of_range',
  maximum: 'number_out_of_range',
};
const ruleOfPattern: Readonly<Record<string, RuleName>> = {
  slug: 'slug_malformed',
  opensAt: 'no_such_date',
  closesAt: 'no_such_date',
};

/** The server's own words stand only where the catalogue has none. */
export function toRefusalText(problem: Problem, texts: RefusalTexts, labels: FieldLabels): string {
  const { code, status, detail, violations = [] } = problem;
  const told = code === 'slug_taken' ? [{ pointer: '/slug', rule: 'slug_taken' }] : violations;
  const sentences = told.map((violation) => toSentence(violation, texts, labels)).filter((words) => words !== null);
  if (sentences.length > 0) return [...new Set(sentences)].join(' ');
  const codes: Readonly<Record<string, string>> = texts.codes;
  return codes[code] ?? (status >= 500 ? texts.busy : detail);
}

function toSentence({ pointer, rule }: Violation, texts: RefusalTexts, labels: FieldLabels): string | null {
  const [, member = '', place = ''] = pointer.split('/');
  const name = rule === 'pattern' ? ruleOfPattern[member] : (ruleOfKeyword[rule] ?? rule);
  const rules: Readonly<Record<string, string>> = texts.rules;
  const wording = name === undefined ? undefined : rules[name];
  // The schema also tells which branches of a union do not fit: nothing that anybody has typed.
  if (wording === undefined) return null;
  const limits = name === 'too_many' ? entriesMax : charsMax;
  const words = fill(wording, { max: limits[member] ?? '' });
  const label = labels[member];
  const number = /^\d+$/u.test(place) ? Number(place) + 1 : null;
  if (label === undefined) return words;
  const isOfEntry = label.includes('{number}');
  if (number === null) return isOfEntry ? words : fill(texts.place, { field: label, rule: words });
  if (isOfEntry) return fill(texts.place, { field: fill(label, { number }), rule: words });
  return fill(texts.entry, { field: label, number, rule: words });
}
