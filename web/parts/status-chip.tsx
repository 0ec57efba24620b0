/** The state of a poll in a word, with the time that is left. */
import type { Poll } from '../../protocol/poll.ts';
import { fill } from '../texts/wording.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { toCountdownText } from './countdown.ts';
import { useTexts } from './page.tsx';

const tickMs = 250;

export function StatusChip({ poll }: { readonly poll: Pick<Poll, 'status' | 'opensAt' | 'closesAt'> }) {
  const texts = useTexts('common').status;
  const now = useLedgerNow(tickMs);
  const until = poll.status === 'draft' ? poll.opensAt : poll.closesAt;
  const leftMs = until === null ? null : Date.parse(until) - now;
  const counts = leftMs !== null && (poll.status === 'draft' || poll.status === 'open');
  const words = counts
    ? { draft: texts.opensIn, open: texts.closesIn }[poll.status as 'draft' | 'open']
    : texts[poll.status]; // The two that `counts` lets through.
  return (
    <span class={`chip ${poll.status}`}>
      {counts ? <span class="num">{fill(words, { time: toCountdownText(leftMs) })}</span> : words}
    </span>
  );
}
