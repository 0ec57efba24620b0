/** The polls that are open or will be, each with its count where anybody may see it. */
import type { PageProps, PollShown } from '../../protocol/pages.ts';
import { useClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { StatusChip } from '../parts/status-chip.tsx';
import { counted, fill } from '../texts/wording.ts';

export function OpenPolls({ polls }: Pick<PageProps['home'], 'polls'>) {
  const texts = useTexts('home');
  return (
    <section aria-labelledby="open-now">
      <h2 id="open-now">{texts.openNow}</h2>
      {polls.length === 0 ? <p class="muted">{texts.none}</p> : null}
      <ul class="list">
        {polls.map((shown) => (
          <OpenPoll key={shown.poll.id} {...shown} />
        ))}
      </ul>
    </section>
  );
}

function OpenPoll({ poll, tally }: PollShown) {
  const texts = useTexts('home');
  const common = useTexts('common');
  const { language } = useSetting();
  const opens = useClockText(poll.opensAt, 'moment');
  const note =
    poll.status === 'draft'
      ? fill(texts.opensOn, { time: opens })
      : tally === null
        ? texts.hidden
        : counted(common.ballots, tally.total, language);
  return (
    <li>
      <a href={`/p/${poll.slug}`}>
        <b dir="auto">{poll.question}</b>
        <span class="muted num small">{note}</span>
        <StatusChip poll={poll} />
      </a>
    </li>
  );
}
