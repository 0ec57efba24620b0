import { useEffect, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Leaderboard } from '../../protocol/tally.ts';
import { connectLive, type Link } from '../live/connection.ts';
import { LiveDot } from '../parts/live-dot.tsx';
import { useSetting, useTexts, type Page } from '../parts/page.tsx';
import { Bar } from '../parts/result-bars.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { usePaced } from '../parts/use-paced.ts';
import { toNumberText } from '../texts/wording.ts';

export const leaderboardPage: Page<'leaderboard'> = {
  name: 'leaderboard',
  View: LeaderboardView,
  title: (_props, texts) => texts.leaderboard.title,
  description: (_props, texts) => texts.leaderboard.description,
};

type Window = Leaderboard['window'];

/** Rows change places once a second at most: nothing jumps away from under a pointer. */
const stepMs = 1_000;
const leadersMax = 25;

function LeaderboardView(props: PageProps['leaderboard']) {
  const texts = useTexts('leaderboard');
  const common = useTexts('common');
  const [window, setWindow] = useState<Window>('all');
  const live = useLeaderboard(window === 'all' ? props.all : props.lastTenMinutes);
  const leaderboard = usePaced(live.leaderboard, stepMs);
  return (
    <>
      <TopBar>
        <a href="/join">{common.joinWithCode}</a>
      </TopBar>
      <main id="main">
        <div class="head">
          <h1>{texts.title}</h1>
          <p class="muted">{texts.lead}</p>
          <LiveDot link={live.link} heardAtMs={live.heardAtMs} />
        </div>
        <WindowChoice window={window} onChange={setWindow} />
        {leaderboard.entries.length === 0 ? (
          <section class="card empty">
            <p>{texts.empty}</p>
            <a class="button" href="/">
              {texts.create}
            </a>
          </section>
        ) : (
          <Leaders leaderboard={leaderboard} />
        )}
      </main>
    </>
  );
}

function WindowChoice({ window, onChange }: { readonly window: Window; readonly onChange: (window: Window) => void }) {
  const texts = useTexts('leaderboard');
  const names = { all: texts.all, last_ten_minutes: texts.lastTenMinutes } as const;
  return (
    <fieldset class="windows">
      <legend class="visually-hidden">{texts.windows}</legend>
      {(['all', 'last_ten_minutes'] as const).map((each) => (
        <label key={each}>
          <input type="radio" name="window" checked={window === each} onChange={() => onChange(each)} />
          <span>{names[each]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Leaders({ leaderboard }: { readonly leaderboard: Leaderboard }) {
  const texts = useTexts('leaderboard');
  const { language } = useSetting();
  const most = Math.max(1, ...leaderboard.entries.map(({ votes }) => votes));
  return (
    <table class="card">
      <thead>
        <tr>
          <th scope="col">{texts.rank}</th>
          <th scope="col">{texts.option}</th>
          <th scope="col">{texts.votes}</th>
        </tr>
      </thead>
      <tbody>
        {leaderboard.entries.map((entry, index) => (
          <tr key={`${entry.pollId} ${entry.optionId}`} class={index === 0 && entry.votes > 0 ? 'lead' : ''}>
            <td class="num rank">{toNumberText(index + 1, language)}</td>
            <th scope="row">
              <bdi>{entry.optionText}</bdi>
              <a class="small" href={`/p/${entry.pollSlug}/results`} dir="auto">
                {entry.question}
              </a>
              <Bar share={Math.round((entry.votes / most) * 1_000)} />
            </th>
            <td class="num votes">{toNumberText(entry.votes, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type LiveLeaderboard = { readonly leaderboard: Leaderboard; readonly link: Link; readonly heardAtMs: number | null };

function useLeaderboard(first: Leaderboard): LiveLeaderboard {
  const [live, setLive] = useState<LiveLeaderboard>({ leaderboard: first, link: 'connecting', heardAtMs: null });
  const { window } = first;
  useEffect(() => {
    setLive((before) => ({ ...before, leaderboard: first }));
    return connectLive({
      subscriptions: [{ type: 'subscribe_leaderboard', window, limit: leadersMax }],
      eventsUrl: `/api/v1/leaderboard/events?window=${window}&limit=${leadersMax}`,
      onFrame: (frame) =>
        setLive((before) => ({
          leaderboard: frame.type === 'leaderboard' ? frame.leaderboard : before.leaderboard,
          link: 'live',
          heardAtMs: Date.now(),
        })),
      onLink: (link) => setLive((before) => ({ ...before, link })),
    });
  }, [window]);
  return live;
}
