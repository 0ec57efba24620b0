/** Putting values into the texts of the catalogues. */
import type { Language } from '../../protocol/pages.ts';
import { numberFormat, pluralRules } from './formats.ts';

/** A text in the forms that the language has for a count. English and German have these two. */
export type Counted = { readonly one: string; readonly other: string };

/** Replaces each `{name}` by its value. A value that is missing is a mistake in the page, and shows as its name. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/gu, (placeholder, name: string) => String(values[name] ?? placeholder));
}

/** The form for this count, with `{count}` as a number of the language. */
export function counted(forms: Counted, count: number, language: Language): string {
  const form = pluralRules(language).select(count) === 'one' ? forms.one : forms.other;
  return fill(form, { count: toNumberText(count, language) });
}

export function toNumberText(value: number, language: Language, fractionDigits = 0): string {
  return numberFormat(language, fractionDigits).format(value);
}

/** A share in tenths of a percent, such as 41.3 %. */
export function toPercentText(tenths: number, language: Language, fractionDigits: 0 | 1 = 1): string {
  return `${toNumberText(tenths / 10, language, fractionDigits)}\u00a0%`;
}
