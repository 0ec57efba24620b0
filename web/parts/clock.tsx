/** Moments as people read them. The server writes them in UTC, and the page in the reader's own time zone once it is alive. */
import { useEffect, useState } from 'preact/hooks';
import type { Language } from '../../protocol/pages.ts';
import { dateFormat } from '../texts/formats.ts';
import { useSetting } from './page.tsx';

export type ClockForm = 'time' | 'moment';

const forms: Readonly<Record<ClockForm, Intl.DateTimeFormatOptions>> = {
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  moment: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
};

export function toClockText(at: string, language: Language, form: ClockForm, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  return dateFormat(language, form, { ...forms[form], ...zone }).format(new Date(at));
}

/** The text of a moment, in UTC until the page is alive. */
export function useClockText(at: string | null, form: ClockForm): string {
  const { language } = useSetting();
  const [zone, setZone] = useState<string | undefined>('UTC');
  useEffect(() => setZone(undefined), []);
  return at === null || at === '' ? '' : toClockText(at, language, form, zone);
}
