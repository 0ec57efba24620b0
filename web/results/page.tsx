import type { PageProps, PollShown } from '../../protocol/pages.ts';
import { useLivePoll } from '../live/use-live-poll.ts';
import { LiveDot } from '../parts/live-dot.tsx';
import { useSetting, useTexts, type Page } from '../parts/page.tsx';
import { usePollColor } from '../parts/poll-color.ts';
import { toBarRows } from '../parts/result-bars.tsx';
import { ShareBox } from '../parts/share-box.tsx';
import { StatusChip } from '../parts/status-chip.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { useCalm, usePaced } from '../parts/use-paced.ts';
import { fill } from '../texts/wording.ts';
import { Figures } from './figures.tsx';
import { StandingsCard } from './standings-card.tsx';
import { toSummary } from './summary.ts';
import { useBallotId } from './use-ballot-id.ts';
import { VotesOverTime } from './votes-over-time.tsx';

export const resultsPage: Page<'results'> = {
  name: 'results',
  View: Results,
  title: ({ poll }, texts) => fill(texts.results.windowTitle, { question: poll.question }),
  description: ({ poll }, texts) => fill(texts.results.description, { question: poll.question }),
};

const calmStepMs = 1_000;
const summaryStepMs = 10_000;

function Results(props: PageProps['results']) {
  const texts = useTexts('results');
  const common = useTexts('common');
  const ballotId = useBallotId(props.poll.id);
  const live = useLivePoll(props, ballotId);
  const { poll, tally } = usePaced(live, useCalm() ? calmStepMs : 0);
  usePollColor(poll.color);
  return (
    <>
      <TopBar>
        <a href="/leaderboard">{common.leaderboard}</a>
        <a href="#share">{common.share.title}</a>
        <a class="primary" href={`/p/${poll.slug}`}>
          {common.vote}
        </a>
      </TopBar>
      <main id="main">
        <div class="head">
          <h1 dir="auto">{poll.question}</h1>
          <div class="meta">
            <StatusChip poll={poll} />
            <LiveDot link={live.link} heardAtMs={live.heardAtMs} />
          </div>
          <noscript>
            <p class="small muted">{texts.noScript}</p>
          </noscript>
        </div>
        <div class="cols">
          {tally === null ? <Hidden poll={poll} /> : <StandingsCard poll={poll} tally={tally} />}
          <aside>
            {tally === null ? null : <Figures tally={tally} />}
            <ShareBox poll={poll} />
          </aside>
        </div>
        {tally === null ? null : <VotesOverTime poll={poll} first={props.series} ballotId={ballotId} />}
        <Spoken poll={poll} tally={tally} />
      </main>
    </>
  );
}

/** When the results appear. Nothing here tells how many have voted. */
function Hidden({ poll }: Pick<PollShown, 'poll'>) {
  const texts = useTexts('results');
  const { visibility } = poll;
  return (
    <section class="card standings hidden-results">
      <div class="verdict">
        <b>{texts.hidden}</b>
        {visibility === 'always' ? null : <p class="muted">{texts.hiddenUntil[visibility]}</p>}
      </div>
      {poll.status === 'open' ? (
        <a class="button" href={`/p/${poll.slug}`}>
          {texts.toVote}
        </a>
      ) : null}
    </section>
  );
}

function Spoken({ poll, tally }: PollShown) {
  const texts = { common: useTexts('common'), results: useTexts('results') };
  const { language } = useSetting();
  const words = tally === null ? '' : toSummary(poll.status, toBarRows(poll.options, tally), texts, language);
  const spoken = usePaced(words, summaryStepMs);
  return (
    <p class="visually-hidden" role="status">
      {/* Figures that are hidden from now on are silent at once, and not at the next step. */}
      {tally === null ? '' : spoken}
    </p>
  );
}
