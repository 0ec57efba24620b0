/** The figures beside the bars. */
import type { Tally } from '../../protocol/tally.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { fill, toNumberText, toPercentText } from '../texts/wording.ts';

export function Figures({ tally }: { readonly tally: Tally }) {
  const texts = useTexts('results');
  const { language } = useSetting();
  const total = toNumberText(tally.total, language);
  return (
    <section class="card panel">
      <div>
        <div class="small muted">{texts.ballots}</div>
        <div class={`big num ${toSize(total)}`}>{total}</div>
        {tally.turnout === null ? null : (
          <div class="small muted num">
            {fill(texts.turnout, { percent: toPercentText(Math.round(tally.turnout * 1_000), language) })}
          </div>
        )}
      </div>
      <dl class="pair">
        <div>
          <dt>{texts.lastTenMinutes}</dt>
          <dd class="num">{toNumberText(tally.lastTenMinutes, language)}</dd>
        </div>
        <div>
          <dt>{texts.aSecond}</dt>
          <dd class="num">{toNumberText(tally.votesPerSecond, language, tally.votesPerSecond < 10 ? 1 : 0)}</dd>
        </div>
      </dl>
    </section>
  );
}

/** A number stands on one line, however many digits it has. */
function toSize({ length }: string): '' | 'long' | 'longest' {
  if (length > 12) return 'longest';
  return length > 8 ? 'long' : '';
}
