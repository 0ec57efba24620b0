import { useState } from 'preact/hooks';
import type { BallotStatus } from '../../protocol/ballot.ts';
import type { PageProps } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { isOutcome, useBallotOutcome } from '../parts/ballot-outcome.ts';
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

function Receipt(props: PageProps['receipt']) {
  const { ballotId } = props;
  const texts = useTexts('receipt');
  const [{ ballot, poll }, setFound] = useState<Pick<PageProps['receipt'], 'ballot' | 'poll'>>(props);
  const isUnderWay = ballot !== null && !isOutcome(ballot);
  useBallotOutcome(isUnderWay ? ballotId : null, (outcome) => {
    setFound({ ballot: outcome, poll: null });
    void readPoll(outcome.pollId).then((found) => setFound({ ballot: outcome, poll: found }));
  });
  return (
    <>
      <TopBar />
      <main id="main">
        <Verdict ballot={ballot} />
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

/** null: without it the page says less, and nothing wrong. */
async function readPoll(pollId: string | null): Promise<Poll | null> {
  const response = pollId === null ? null : await fetch(`/api/v1/polls/${pollId}`).catch(() => null);
  return response?.ok === true ? ((await response.json()) as Poll) : null; // The shape is the protocol's.
}

const looks = {
  received: 'going',
  validating: 'going',
  counted: 'good',
  superseded: 'warn',
  failed: 'warn',
  unknown: 'bad',
} as const;

function Verdict({ ballot }: Pick<PageProps['receipt'], 'ballot'>) {
  const texts = useTexts('receipt');
  const time = useClockText(ballot?.castAt ?? null, 'moment');
  const status = ballot?.status ?? 'unknown';
  const [title, hint] = {
    received: [texts.received, texts.receivedHint],
    validating: [texts.validating, texts.receivedHint],
    counted: [texts.counted, fill(texts.countedAt, { time })],
    superseded: [texts.superseded, fill(texts.supersededAt, { time })],
    failed: [texts.failed, toReasonText(ballot, texts)],
    unknown: [texts.unknown, texts.unknownHint],
  }[status];
  return (
    <section class={`notice ${looks[status]}`} role="status">
      <h1>{title}</h1>
      <p>{hint}</p>
      {looks[status] === 'going' ? (
        <noscript>
          <a class="button quiet" href="">
            {texts.askAgain}
          </a>
        </noscript>
      ) : null}
    </section>
  );
}

type Texts = ReturnType<typeof useTexts<'receipt'>>;

function toReasonText(ballot: BallotStatus | null, { reasons, unknownReason }: Texts): string {
  const [, words] = Object.entries(reasons).find(([reason]) => reason === ballot?.reason) ?? [];
  return words ?? unknownReason;
}
