/** The large part of the screen: the question, and beneath it what the stage shows. */
import type { PollShown } from '../../protocol/pages.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { toCountdownText } from '../parts/countdown.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted } from '../texts/wording.ts';
import { toTextSize } from './arrangement.ts';
import { BigNumber } from './join-panel.tsx';
import type { Scene } from './scene.ts';
import { ScreenBars, ScreenChoices } from './screen-bars.tsx';

const tickMs = 250;

export function StageView({ scene, onReveal }: { readonly scene: Scene; readonly onReveal: () => void }) {
  return (
    <main id="main" class={`view ${scene.stage}`}>
      <Question poll={scene.poll} />
      <StageBody scene={scene} onReveal={onReveal} />
    </main>
  );
}

export function Question({ poll }: { readonly poll: Pick<PollShown['poll'], 'question' | 'slug' | 'hasLogo'> }) {
  const { question, slug, hasLogo } = poll;
  return (
    <header class="ask">
      {hasLogo ? <img class="logo" src={`/p/${slug}/logo`} alt="" /> : null}
      <h1 class={`question ${toTextSize(question, [44, 76, 130])}`} dir="auto">
        {question}
      </h1>
    </header>
  );
}

function StageBody({ scene, onReveal }: { readonly scene: Scene; readonly onReveal: () => void }) {
  const texts = useTexts('present');
  const { stage, poll, arrangement, shown, revealed } = scene;
  switch (stage) {
    case 'waiting':
      return (
        <>
          <Opening opensAt={poll.opensAt} />
          <ScreenChoices options={poll.options} arrangement={arrangement} />
        </>
      );
    case 'concealed':
      return (
        <>
          <p class="message">{texts.concealed[poll.visibility]}</p>
          <ScreenChoices options={poll.options} arrangement={arrangement} />
        </>
      );
    case 'suspense':
    case 'locked':
      return <Total scene={scene} onReveal={onReveal} />;
    case 'no_votes':
      return <p class="message alone">{texts.noVotes}</p>;
    case 'live':
    case 'reveal':
    case 'winner':
    case 'tie':
      return (
        <ScreenBars
          stage={stage}
          arrangement={arrangement}
          shown={shown}
          revealedCount={stage === 'reveal' ? revealed : null}
        />
      );
  }
}

function Opening({ opensAt }: { readonly opensAt: string | null }) {
  const texts = useTexts('present').waiting;
  const now = useLedgerNow(tickMs);
  if (opensAt === null) return <p class="message">{texts.soon}</p>;
  return (
    <p class="message">
      {texts.opensIn} <strong class="num">{toCountdownText(Date.parse(opensAt) - now)}</strong>
    </p>
  );
}

function Total({ scene, onReveal }: { readonly scene: Scene; readonly onReveal: () => void }) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const { stage, poll, tally } = scene;
  const total = tally?.total ?? 0;
  return (
    <div class="alone">
      <p class="total">
        <BigNumber value={total} />
        <span>{counted(stage === 'suspense' ? texts.suspense : texts.total, total, language)}</span>
      </p>
      {stage === 'suspense' ? null : (
        <p class="message">{poll.status === 'closing' ? texts.locked.counting : texts.locked.closed}</p>
      )}
      {poll.status === 'closed' ? (
        <button class="button needs-script" type="button" onClick={onReveal}>
          {texts.showResults}
        </button>
      ) : null}
    </div>
  );
}
