/** How people get to a poll: the address, the join code, the QR code. */
import { useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { fill } from '../texts/wording.ts';
import { useSetting, useTexts } from './page.tsx';

export function ShareBox({ poll }: { readonly poll: Pick<Poll, 'slug' | 'joinCode'> }) {
  const texts = useTexts('common').share;
  const { publicUrl } = useSetting();
  const [copied, setCopied] = useState(false);
  const url = `${publicUrl}/p/${poll.slug}`;
  async function copy(): Promise<void> {
    await navigator.clipboard?.writeText(url);
    setCopied(navigator.clipboard !== undefined);
  }
  return (
    <section class="card panel share" id="share" aria-labelledby="share-title">
      <h2 id="share-title">{texts.title}</h2>
      <div class="small muted">{publicUrl.replace(/^https?:\/\//u, '')}/j</div>
      <div class="code num">{toCodeText(poll.joinCode)}</div>
      <img src={`/p/${poll.slug}/qr.svg`} width="180" height="180" alt={fill(texts.qr, { url })} />
      <p class="small">
        <a href={url}>{url}</a>
      </p>
      <button type="button" class="button quiet" onClick={() => void copy()}>
        {copied ? texts.copied : texts.copy}
      </button>
    </section>
  );
}

/** Two groups of three are easier to read out than six in a row. */
export function toCodeText(joinCode: string): string {
  return `${joinCode.slice(0, 3)} ${joinCode.slice(3)}`;
}
