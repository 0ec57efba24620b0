/** Whether the figures on the page are live, and how old they are. Stale ones say from when they are, and never turn into zeros. */
import type { Link } from '../live/connection.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { fill, toNumberText } from '../texts/wording.ts';
import { useClockText } from './clock.tsx';
import { useSetting, useTexts } from './page.tsx';

const tickMs = 200;

export function LiveDot({ link, heardAtMs }: { readonly link: Link; readonly heardAtMs: number | null }) {
  const texts = useTexts('common').live;
  const { language, nowMs } = useSetting();
  useLedgerNow(tickMs);
  const from = useClockText(new Date(heardAtMs ?? nowMs).toISOString(), 'time');
  const seconds = heardAtMs === null ? 0 : Math.max(0, Date.now() - heardAtMs) / 1_000;
  const words =
    link === 'lost'
      ? fill(texts.stale, { time: from })
      : heardAtMs === null
        ? fill(texts.asOf, { time: from })
        : fill(texts.updated, { seconds: toNumberText(seconds, language, seconds < 10 ? 1 : 0) });
  return <span class={`live-dot small muted num ${link}`}>{words}</span>;
}
