/** One poll on the projector. */
import { useState } from 'preact/hooks';
import type { PollShown } from '../../protocol/pages.ts';
import { applyFrame } from '../live/poll-state.ts';
import { useLivePoll, type LivePoll } from '../live/use-live-poll.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { ControlStrip } from './control-strip.tsx';
import { CornerBadges } from './corner-badges.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { JoinScreen } from './join-screen.tsx';
import type { Command } from './keys.ts';
import { useProjectorColor } from './projector-color.ts';
import { toScene, type Scene } from './scene.ts';
import { SidePanel } from './side-panel.tsx';
import { StageView } from './stage-view.tsx';
import type { Stage } from './stage.ts';
import { toSummary } from './summary.ts';
import { useAnnouncement } from './use-announcement.ts';
import type { Deck } from './use-deck.ts';
import { useKeys, type KeySetting } from './use-keys.ts';
import { useResultsOnScreen, type Wishes } from './use-results-on-screen.ts';
import { toggleFullScreen, useCalm, useFullScreen, useIdle, usePaced } from './use-screen.ts';
import { useVotingStep, type VotingStep } from './use-voting-step.ts';

const legendMs = 6_000;
const calmStepMs = 1_000;

export type PresenterProps = { readonly deck: Deck; readonly keys: KeySetting; readonly wishes: Wishes };

export function Presenter({ deck, keys, wishes }: PresenterProps) {
  const { manager } = deck.props;
  const calm = useCalm();
  const live = usePacedPoll(deck.props, calm);
  const voting = useVotingStep(live.poll, manager);
  const { poll } = withAnswer(live, voting);
  useProjectorColor(poll.color);
  const results = useResultsOnScreen(poll, wishes);
  const scene = toScene({ ...live, poll }, results);
  const [joinShown, setJoinShown] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  const fullScreen = useFullScreen();
  const idle = useIdle(legendMs);
  const leaveTo = `/p/${encodeURIComponent(poll.slug)}/${manager ? 'manage' : 'results'}`;

  const rowCount = calm || scene.shown.rows.every(({ votes }) => votes === 0) ? 0 : scene.shown.rows.length;
  const commands: Readonly<Record<Command, () => unknown>> = {
    previous: () => deck.step('previous'),
    next: () => deck.step('next'),
    toggle_voting: voting.take,
    toggle_results: () => hasResults(scene.stage) && results.toggle(rowCount),
    toggle_join: () => setJoinShown(!joinShown),
    toggle_full_screen: toggleFullScreen,
    leave: () => (joinShown ? setJoinShown(false) : location.assign(leaveTo)),
    help: () => setHelpOpen(true),
  };
  useKeys(keys.on, (command) => commands[command]() !== false);

  return (
    <div class={`presenter${idle ? ' idle' : ''}`}>
      {joinShown ? <JoinScreen scene={scene} /> : <Screen scene={scene} onReveal={() => results.toggle(rowCount)} />}
      <CornerBadges link={live.link} heardAtMs={live.heardAtMs} stepFailed={voting.failed} />
      <Summary scene={scene} />
      <ControlStrip
        poll={poll}
        manager={manager}
        neighbours={deck.neighbours}
        cameBy={deck.direction}
        resultsShown={hasResults(scene.stage) ? scene.stage !== 'suspense' && scene.stage !== 'locked' : null}
        joinShown={joinShown}
        fullScreen={fullScreen}
        keysOn={keys.on}
        leaveTo={leaveTo}
        onCommand={(command) => commands[command]()}
      />
      <HelpDialog open={helpOpen} keys={keys} onClose={() => setHelpOpen(false)} />
    </div>
  );
}

function Screen({ scene, onReveal }: { readonly scene: Scene; readonly onReveal: () => void }) {
  return (
    <div class="stage">
      <StageView scene={scene} onReveal={onReveal} />
      <SidePanel scene={scene} />
    </div>
  );
}

function Summary({ scene }: { readonly scene: Scene }) {
  const { language } = useSetting();
  const texts = { common: useTexts('common'), present: useTexts('present') };
  const { poll, stage, shown, link, tally } = scene;
  const facts = { stage, shown, question: poll.question, visibility: poll.visibility, total: tally?.total ?? 0 };
  const text = link === 'lost' ? texts.present.say.lost : toSummary(facts, texts, language);
  const said = useAnnouncement(text, link === 'lost' ? link : stage);
  return (
    <p class="visually-hidden" role="status">
      {said}
    </p>
  );
}

/** Figures step once a second for whoever wants little motion. What becomes hidden is gone at once. */
function usePacedPoll(initial: PollShown, calm: boolean): LivePoll {
  const live = useLivePoll(initial);
  const paced = usePaced(live.tally, calm ? calmStepMs : 0);
  return { ...live, tally: live.tally === null ? null : paced };
}

/** The answer to a step of ours may be here before the stream has told of it. */
function withAnswer(live: LivePoll, { answered }: VotingStep): Pick<LivePoll, 'poll'> {
  if (answered === null) return live;
  return applyFrame(live, { type: 'poll', poll: answered.id, status: answered.status, terms: answered });
}

function hasResults(stage: Stage): boolean {
  return stage !== 'waiting' && stage !== 'concealed';
}
