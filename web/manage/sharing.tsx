/** Ways to bring people to the poll, besides the share box: pictures of the code, the phone's own way to share, a frame in another site. */
import { useEffect, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { useSetting, useTexts } from '../parts/page.tsx';

export function ShareLinks({ poll }: { readonly poll: Poll }) {
  const texts = useTexts('manage');
  const { publicUrl } = useSetting();
  const [canShare, setCanShare] = useState(false);
  useEffect(() => setCanShare('share' in navigator), []);
  return (
    <section class="card panel" aria-labelledby="sharing">
      <h2 id="sharing">{texts.share}</h2>
      <div class="links">
        <a href={`/p/${poll.slug}/qr.svg`} download={`${poll.slug}.svg`}>
          {texts.qrSvg}
        </a>
        <a href={`/p/${poll.slug}/qr.png?size=1024`} download={`${poll.slug}.png`}>
          {texts.qrPng}
        </a>
        {canShare ? (
          <button
            class="button quiet"
            onClick={() =>
              void navigator.share({ title: poll.question, url: `${publicUrl}/p/${poll.slug}` }).catch(() => undefined)
            }
          >
            {texts.native}
          </button>
        ) : null}
      </div>
    </section>
  );
}

export function Embedding({ poll }: { readonly poll: Poll }) {
  const texts = useTexts('manage');
  const { publicUrl } = useSetting();
  const frame = `<iframe src="${publicUrl}/embed/${poll.slug}" title="Hustings" width="100%" height="560"></iframe>`;
  const element = `<script type="module" src="${publicUrl}/hustings-poll.js"></script>\n<hustings-poll poll="${poll.slug}"></hustings-poll>`;
  return (
    <section class="card panel" aria-labelledby="embedding">
      <h2 id="embedding">{texts.embed}</h2>
      {poll.embedParents.length === 0 ? <p class="small muted">{texts.embedHint}</p> : null}
      {[element, frame].map((snippet) => (
        <Snippet key={snippet} text={snippet} />
      ))}
    </section>
  );
}

function Snippet({ text }: { readonly text: string }) {
  const texts = useTexts('manage');
  const [copied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard?.writeText(text);
    setCopied(navigator.clipboard !== undefined);
  }
  return (
    <div class="snippet">
      <pre tabIndex={0}>{text}</pre>
      <button class="button quiet" onClick={() => void copy()}>
        {copied ? texts.copied : texts.copy}
      </button>
    </div>
  );
}
