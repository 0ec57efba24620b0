/** The rules that a new or changed poll must keep, beyond the shape that its schema gives. */
import type { PollTerms } from './poll.ts';

export type Violation = { readonly pointer: string; readonly rule: string };

export const questionCharsMax = 1000;
export const optionTextCharsMax = 500;
export const optionsMin = 2;
export const optionsMax = 200;
export const slugCharsMax = 64;

export type OptionDraft = { readonly id: string; readonly text: string; readonly description: string | null };
export type PollDraft = PollTerms & {
  readonly slug: string | null;
  readonly options: readonly OptionDraft[];
  readonly opensAt: number | null;
  readonly closesAt: number | null;
};

/** All violations of a draft, in the order of its fields. `now` is the ledger's clock in milliseconds. */
export function checkPoll(draft: PollDraft, now: number): Violation[] {
  return [
    ...checkTerms(draft, draft.options.length),
    ...checkSlug(draft.slug),
    ...checkOptions(draft.options),
    ...checkTimes(draft, now),
  ];
}

export function checkTerms(terms: PollTerms, optionCount: number): Violation[] {
  const violations: Violation[] = [];
  if (!isText(terms.question)) violations.push({ pointer: '/question', rule: 'text_required' });
  if (terms.description !== null && !isStorable(terms.description)) {
    violations.push({ pointer: '/description', rule: 'text_unusable' });
  }
  if (terms.selectionsMin > terms.selectionsMax) violations.push({ pointer: '/selections/min', rule: 'min_above_max' });
  if (terms.selectionsMax > optionCount)
    violations.push({ pointer: '/selections/max', rule: 'max_above_option_count' });
  if (terms.electorateSize !== null && (terms.electorate === 'open' || terms.electorate === 'cookie')) {
    violations.push({ pointer: '/electorateSize', rule: 'electorate_size_unknowable' });
  }
  if (terms.color !== null && !/^#[0-9a-f]{6}$/u.test(terms.color)) {
    violations.push({ pointer: '/color', rule: 'color_malformed' });
  }
  for (const [index, parent] of terms.embedParents.entries()) {
    if (!isEmbedParent(parent)) violations.push({ pointer: `/embedParents/${index}`, rule: 'origin_malformed' });
  }
  if (terms.electorate === 'open' && terms.revote === 'replace') {
    violations.push({ pointer: '/revote', rule: 'replace_needs_voters' });
  }
  return violations;
}

function checkSlug(slug: string | null): Violation[] {
  return slug === null || isSlug(slug) ? [] : [{ pointer: '/slug', rule: 'slug_malformed' }];
}

export function checkOptions(options: readonly OptionDraft[]): Violation[] {
  const violations: Violation[] = [];
  const ids = new Set<string>();
  const texts = new Set<string>();
  for (const [index, option] of options.entries()) {
    const text = sameText(option.text);
    if (!isText(option.text)) violations.push({ pointer: `/options/${index}/text`, rule: 'text_required' });
    else if (texts.has(text)) violations.push({ pointer: `/options/${index}/text`, rule: 'text_repeated' });
    if (!isText(option.id)) violations.push({ pointer: `/options/${index}/id`, rule: 'text_required' });
    else if (ids.has(option.id)) violations.push({ pointer: `/options/${index}/id`, rule: 'id_repeated' });
    if (option.description !== null && !isStorable(option.description)) {
      violations.push({ pointer: `/options/${index}/description`, rule: 'text_unusable' });
    }
    texts.add(text);
    ids.add(option.id);
  }
  return violations;
}

function checkTimes(draft: PollDraft, now: number): Violation[] {
  const { opensAt, closesAt } = draft;
  if (closesAt === null) return [];
  if (closesAt <= now) return [{ pointer: '/closesAt', rule: 'time_in_the_past' }];
  if (opensAt !== null && closesAt <= opensAt) return [{ pointer: '/closesAt', rule: 'closes_before_opens' }];
  return [];
}

/** Lower-case letters, digits and single dashes between them. A slug never looks like a poll's id. */
export function isSlug(slug: string): boolean {
  return (
    slug.length <= slugCharsMax && /^[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(slug) && !/^[0-9a-f]{8}-[0-9a-f]{4}-/u.test(slug)
  );
}

/** An origin as browsers write it, or `*`. Nothing else may get into the header that names it. */
function isEmbedParent(text: string): boolean {
  return (
    text === '*' || (/^https?:\/\/[\w.:[\]-]+$/u.test(text) && URL.canParse(text) && new URL(text).origin === text)
  );
}

/** Text that says something and that PostgreSQL and UTF-8 can hold: no NUL, no lone surrogate. */
export function isText(text: string): boolean {
  return text.trim() !== '' && isStorable(text);
}

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

/** Two texts that a reader takes for the same. */
function sameText(text: string): string {
  return text.trim().normalize('NFC');
}
