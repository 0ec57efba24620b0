/** Everything at the organiser's hand: what goes on, what can be done, and what came of it. */
import { useState } from 'preact/hooks';
import type { PollShown } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { applyFrame } from '../live/poll-state.ts';
import { useLivePoll } from '../live/use-live-poll.ts';
import { LiveDot } from '../parts/live-dot.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { ResultBars, toBarRows } from '../parts/result-bars.tsx';
import { ShareBox } from '../parts/share-box.tsx';
import { StatusChip } from '../parts/status-chip.tsx';
import { fill, toNumberText } from '../texts/wording.ts';
import { Embedding, ShareLinks } from './sharing.tsx';
import { EditCard } from './edit-card.tsx';
import { EndCard } from './end-card.tsx';
import { HealthCard } from './health-card.tsx';
import { LogCard } from './log-card.tsx';
import type { Answer, Manager } from './manager.ts';
import { Steps } from './steps.tsx';

export function Desk({ first, manager }: { readonly first: PollShown; readonly manager: Manager }) {
  const texts = useTexts('manage');
  const live = useLivePoll(first);
  const [changed, setChanged] = useState<Poll | null>(null);
  const [said, setSaid] = useState<{ readonly words: string; readonly failed: boolean } | null>(null);
  // The answer to a step may come before or after the frame that tells of it: whichever is newer counts.
  const { poll } =
    changed === null
      ? live
      : applyFrame(live, { type: 'poll', poll: changed.id, status: changed.status, terms: changed });

  async function take(work: Promise<Answer<Poll>>, done: string): Promise<void> {
    const answer = await work;
    if ('value' in answer) {
      setChanged(answer.value);
      setSaid({ words: done, failed: false });
      return;
    }
    setSaid({ words: fill(texts.failed, { detail: answer.refused }), failed: true });
    if (answer.code === 'poll_state_conflict') {
      // Somebody else was quicker: the page shows how things stand.
      const now = await manager.poll();
      if ('value' in now) setChanged(now.value);
    }
  }

  return (
    <>
      <h1 dir="auto">{poll.question}</h1>
      <div class="meta">
        <StatusChip poll={poll} />
        <LiveDot link={live.link} heardAtMs={live.heardAtMs} />
      </div>
      <p
        class={`said notice ${said?.failed === true ? 'bad' : 'good'}`}
        role={said?.failed === true ? 'alert' : 'status'}
        hidden={said === null}
      >
        {said?.words}
      </p>
      <div class="cols">
        <div class="column">
          <Steps poll={poll} manager={manager} take={take} />
          <section class="card panel">
            <Totals tally={live.tally} online={live.online} />
            <h2>{texts.results}</h2>
            {live.tally === null ? (
              <p class="muted">{texts.noVotes}</p>
            ) : (
              <ResultBars rows={toBarRows(poll.options, live.tally)} />
            )}
          </section>
          <EditCard poll={poll} hasBallots={(live.tally?.total ?? 0) > 0} manager={manager} take={take} />
          <EndCard poll={poll} manager={manager} />
        </div>
        <aside class="column">
          <ShareBox poll={poll} />
          <ShareLinks poll={poll} />
          <Embedding poll={poll} />
          <HealthCard manager={manager} accepted={live.tally?.total ?? 0} />
          <LogCard manager={manager} revision={poll.revision} />
        </aside>
      </div>
    </>
  );
}

function Totals({ tally, online }: { readonly tally: PollShown['tally']; readonly online: number | null }) {
  const texts = useTexts('manage');
  const { language } = useSetting();
  const figures = [
    [texts.ballots, toNumberText(tally?.total ?? 0, language)],
    [texts.aSecond, toNumberText(tally?.votesPerSecond ?? 0, language, 1)],
    [texts.online, online === null ? '–' : toNumberText(online, language)],
  ] as const;
  return (
    <dl class="totals">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
