/** The results below a vote, where they may be seen; else when they may. */
import type { PollShown } from '../../protocol/pages.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { ResultBars, toBarRows } from '../parts/result-bars.tsx';
import { counted } from '../texts/wording.ts';

export function ResultsSoFar({ poll, tally, withLink }: PollShown & { readonly withLink: boolean }) {
  const texts = useTexts('vote');
  const common = useTexts('common');
  const { language } = useSetting();
  if (tally === null) return <p class="muted">{texts.whenResults[poll.visibility]}</p>;
  return (
    <section class="card so-far" aria-labelledby="so-far">
      <div class="line">
        <h2 id="so-far">{poll.status === 'closed' ? texts.finalResults : texts.results}</h2>
        <span class="num muted">{counted(common.ballots, tally.total, language)}</span>
      </div>
      <ResultBars rows={toBarRows(poll.options, tally)} />
      {withLink ? <a href={`/p/${poll.slug}/results`}>{texts.seeResults}</a> : null}
    </section>
  );
}
