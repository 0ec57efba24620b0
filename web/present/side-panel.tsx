/** The narrow part of the screen: how to join and how many did; and, at the end, who has won. */
import { Mark } from '../parts/mark.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill, toNumberText, toPercentText } from '../texts/wording.ts';
import { toTextSize, type ScreenRow } from './arrangement.ts';
import { CodeTile, JoinWords, Turnout } from './join-panel.tsx';
import type { Scene } from './scene.ts';
import type { Stage } from './stage.ts';

/** Where the total stands in the middle of the screen. */
const largeTotals: ReadonlySet<Stage> = new Set(['suspense', 'locked']);

export function SidePanel({ scene }: { readonly scene: Scene }) {
  const texts = useTexts('present');
  const { stage, poll, shown, tally, online } = scene;
  const leaders = shown.rows.filter(({ leads }) => leads);
  const total = tally === null || stage === 'waiting' || largeTotals.has(stage) ? null : tally.total;
  return (
    <aside class="side" aria-label={texts.join}>
      <div class="tile">
        {stage === 'winner' || stage === 'tie' ? (
          <OutcomeCard stage={stage} leaders={leaders} />
        ) : (
          <CodeTile poll={poll} />
        )}
      </div>
      <JoinWords joinCode={poll.joinCode} />
      <Turnout total={total} online={online} />
    </aside>
  );
}

/** Lines on the card. */
const namesMax = 5;

type OutcomeCardProps = { readonly stage: 'winner' | 'tie'; readonly leaders: readonly ScreenRow[] };

/** A ballot paper with the winner crossed. */
function OutcomeCard({ stage, leaders }: OutcomeCardProps) {
  const texts = useTexts('present');
  const common = useTexts('common');
  const { language } = useSetting();
  const [first] = leaders;
  const named = leaders.slice(0, leaders.length > namesMax ? namesMax - 1 : namesMax);
  const moreCount = leaders.length - named.length;
  const votes = counted(common.votes, first?.votes ?? 0, language);
  const percent = toPercentText((first?.percent ?? 0) * 10, language, 0);
  return (
    <div class="outcome">
      <p class="kind">
        <Mark />
        {stage === 'tie' ? texts.tie : texts.winner}
      </p>
      <ul class={`names ${toTextSize(named.map(({ text }) => text).join('\n'), [18, 44, 90])}`}>
        {named.map(({ id, text }) => (
          <li key={id}>
            <bdi>{text}</bdi>
          </li>
        ))}
        {moreCount > 0 ? <li>{`+${toNumberText(moreCount, language)}`}</li> : null}
      </ul>
      <p class="num">{fill(stage === 'tie' ? texts.each : texts.figures, { votes, percent })}</p>
    </div>
  );
}
