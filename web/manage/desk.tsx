/** Everything at the organiser's hand: what goes on, what can be done, and what came of it. */
import { useState } from 'preact/hooks';
import type { PollShown } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { applyFrame } from '../live/poll-state.ts';
import { useLivePoll } from '../live/use-live-poll.ts';
import { LiveDot } from '../parts/live-dot.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { unreachable } from '../parts/refusal-text.ts';
import { ResultBars, toBarRows } from '../parts/result-bars.tsx';
import { ShareBox } from '../parts/share-box.tsx';
import { StatusChip } from '../parts/status-chip.tsx';
import { useBackOnline } from '../parts/use-back-online.ts';
import { fill, toNumberText } from '../texts/wording.ts';
import { Embedding, ShareLinks } from './sharing.tsx';
import { EditCard } from './edit-card.tsx';
import { EndCard } from './end-card.tsx';
import { HealthCard } from './health-card.tsx';
import { LogCard } from './log-card.tsx';
import type { Manager, Take } from './manager.ts';
import { SaidLine, type Said } from './said-line.tsx';
import { Steps } from './steps.tsx';

type Place = 'steps' | 'edit';

export function Desk({ first, manager }: { readonly first: PollShown; readonly manager: Manager }) {
  const texts = useTexts('manage');
  const live = useLivePoll(first);
  const [changed, setChanged] = useState<Poll | null>(null);
  const [said, setSaid] = useState<(Said & { readonly place: Place; readonly code?: string }) | null>(null);
  useBackOnline(() => setSaid((before) => (before?.code === unreachable ? null : before)));
  // The answer to a step may come before or after the frame that tells of it: whichever is newer counts.
  const { poll } =
    changed === null
      ? live
      : applyFrame(live, { type: 'poll', poll: changed.id, status: changed.status, terms: changed });

  const takeAt =
    (place: Place): Take =>
    async (work, done) => {
      const answer = await work;
      if ('value' in answer) {
        setChanged(answer.value);
        setSaid({ place, words: done, failed: false });
        return;
      }
      setSaid({ place, code: answer.code, words: fill(texts.failed, { detail: answer.refused }), failed: true });
      if (answer.code === 'poll_state_conflict') {
        // Somebody else was quicker: the page shows how things stand.
        const now = await manager.poll();
        if ('value' in now) setChanged(now.value);
      }
    };
  const saidAt = (place: Place): Said | null => (said?.place === place ? said : null);

  return (
    <>
      <h1 dir="auto">{poll.question}</h1>
      <div class="meta">
        <StatusChip poll={poll} />
        <LiveDot link={live.link} heardAtMs={live.heardAtMs} />
      </div>
      <SaidLine said={saidAt('steps')} />
      <div class="cols">
        <div class="column">
          <Steps poll={poll} manager={manager} take={takeAt('steps')} />
          <section class="card panel">
            <Totals tally={live.tally} online={live.online} />
            <h2>{texts.results}</h2>
            {live.tally === null ? (
              <p class="muted">{texts.noVotes}</p>
            ) : (
              <ResultBars rows={toBarRows(poll.options, live.tally)} />
            )}
          </section>
          <EditCard
            poll={poll}
            hasBallots={(live.tally?.total ?? 0) > 0}
            manager={manager}
            take={takeAt('edit')}
            said={saidAt('edit')}
          />
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
