/** Why nobody can vote now, and when that changes: a poll that is not open yet, paused, or closed. */
import type { Poll } from '../../protocol/poll.ts';
import { useClockText } from '../parts/clock.tsx';
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';

export function StatusNotice({ poll }: { readonly poll: Poll }) {
  const texts = useTexts('vote');
  const opensAt = useClockText(poll.opensAt, 'moment');
  const words = {
    draft: [texts.notOpen, opensAt === '' ? texts.opensByHand : fill(texts.opensAt, { time: opensAt })],
    paused: [texts.paused, texts.pausedHint],
    closing: [texts.closed, texts.closing],
    closed: [texts.closed, null],
    open: null,
  }[poll.status];
  if (words === null) return null;
  return (
    <section class={`notice ${poll.status === 'paused' ? 'warn' : 'plain'}`} role="status">
      <b>{words[0]}</b>
      {words[1] === null ? null : <p>{words[1]}</p>}
      {poll.status === 'draft' ? (
        <noscript>
          <p>{texts.noScript}</p>
        </noscript>
      ) : null}
    </section>
  );
}
