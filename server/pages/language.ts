/** The language of a page: the one that the browser wants most of those we have. */
import type { Language } from '../../protocol/pages.ts';
import { qualityOf } from '../http/preferences.ts';

const languages: readonly Language[] = ['en', 'de'];

/** By `?lang=`, else by Accept-Language (RFC 9110, section 12.5.4); English where neither names one of ours. */
export function chooseLanguage(asked: string | null, acceptLanguage: string | undefined): Language {
  const named = languages.find((language) => language === asked);
  if (named !== undefined) return named;
  if (acceptLanguage === undefined) return 'en';
  let best: Language = 'en';
  let bestQuality = 0;
  for (const language of languages) {
    const quality = qualityOf(acceptLanguage, (range) => range === language || range.startsWith(`${language}-`));
    if (quality > bestQuality) [best, bestQuality] = [language, quality];
  }
  return best;
}
