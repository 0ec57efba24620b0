import type { PageProps } from '../../protocol/pages.ts';
import { useClockText } from '../parts/clock.tsx';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { fill } from '../texts/wording.ts';

export const receiptPage: Page<'receipt'> = {
  name: 'receipt',
  View: Receipt,
  title: ({ ballotId }, texts) => fill(texts.receipt.windowTitle, { code: ballotId.slice(-8).toUpperCase() }),
  description: (_props, texts) => texts.receipt.description,
};

function Receipt({ ballotId, ballot, poll }: PageProps['receipt']) {
  const texts = useTexts('receipt');
  const time = useClockText(ballot?.castAt ?? null, 'moment');
  const status = ballot?.status ?? 'unknown';
  const words = {
    counted: [texts.counted, fill(texts.countedAt, { time })],
    superseded: [texts.superseded, fill(texts.supersededAt, { time })],
    unknown: [texts.unknown, texts.unknownHint],
  }[status];
  return (
    <>
      <TopBar />
      <main id="main">
        <section class={`notice ${{ counted: 'good', superseded: 'warn', unknown: 'bad' }[status]}`}>
          <h1>{words[0]}</h1>
          <p>{words[1]}</p>
        </section>
        <dl class="card facts">
          {poll === null ? null : (
            <div>
              <dt>{texts.poll}</dt>
              <dd dir="auto">{poll.question}</dd>
            </div>
          )}
          <div>
            <dt>{texts.receipt}</dt>
            <dd>
              <code>{ballotId}</code>
            </dd>
          </div>
        </dl>
        <p class="muted">{texts.secret}</p>
        {poll === null ? null : (
          <p>
            <a class="button quiet" href={`/p/${poll.slug}/results?ballot=${ballotId}`}>
              {texts.results}
            </a>
          </p>
        )}
      </main>
    </>
  );
}
