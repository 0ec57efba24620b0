/**
 * The formats of `Intl`, each made once: making one takes twenty to a hundred times as long as using it (2026-11-21), and the server writes thousands of pages
 * a second. There are as many as there are languages and forms.
 */
import type { Language } from '../../protocol/pages.ts';

const made = new Map<string, unknown>();

/** What `make` makes, from the second time on from memory. The key names everything that it depends on. */
function once<Made>(key: string, make: () => Made): Made {
  const found = made.get(key) as Made | undefined; // A key belongs to one kind of format.
  if (found !== undefined) return found;
  const fresh = make();
  made.set(key, fresh);
  return fresh;
}

export function numberFormat(language: Language, fractionDigits: number): Intl.NumberFormat {
  const options = { minimumFractionDigits: fractionDigits, maximumFractionDigits: fractionDigits };
  return once(`number ${language} ${fractionDigits}`, () => new Intl.NumberFormat(language, options));
}

export function pluralRules(language: Language): Intl.PluralRules {
  return once(`plural ${language}`, () => new Intl.PluralRules(language));
}

/** `form` names the options. Without a zone, that of the reader. */
export function dateFormat(language: Language, form: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = language === 'en' ? 'en-GB' : language;
  return once(`date ${language} ${form} ${options.timeZone}`, () => new Intl.DateTimeFormat(locale, options));
}
