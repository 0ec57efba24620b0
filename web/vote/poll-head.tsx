/** What is asked, whether voting is open, and how to fill in the ballot. */
import type { Poll } from '../../protocol/poll.ts';
import { StatusChip } from '../parts/status-chip.tsx';
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';

export function PollHead({ poll }: { readonly poll: Poll }) {
  const texts = useTexts('vote');
  return (
    <div class="head">
      {poll.hasLogo ? <img class="logo" src={`/p/${poll.slug}/logo`} alt="" /> : null}
      <div role="status">
        <StatusChip poll={poll} />
      </div>
      <h1 dir="auto">{poll.question}</h1>
      {poll.description === null ? null : (
        <p class="muted" dir="auto">
          {poll.description}
        </p>
      )}
      {poll.status === 'closed' || poll.status === 'closing' ? null : (
        <p class="muted" id="instruction">
          {[toInstruction(poll, texts), ...(poll.revote === 'replace' ? [texts.changeable] : [])].join(' ')}
        </p>
      )}
    </div>
  );
}

type Texts = ReturnType<typeof useTexts<'vote'>>;

function toInstruction({ selections: { min, max }, layout }: Poll, texts: Texts): string {
  if (layout === 'board' && max === 1) return '';
  if (max === 1) return min === 0 ? `${texts.chooseOne} ${texts.mayBeBlank}` : texts.chooseOne;
  if (min === max) return fill(texts.chooseExactly, { count: max });
  if (min <= 1) return `${fill(texts.chooseUpTo, { max })}${min === 0 ? ` ${texts.mayBeBlank}` : ''}`;
  return fill(texts.chooseBetween, { min, max });
}

/** What one vote means here, who sees what, and when. */
export function PromiseLine({ poll, embedded }: { readonly poll: Poll; readonly embedded: boolean }) {
  const texts = useTexts('vote');
  // In a frame of another site many browsers keep neither our cookie nor what the page stores.
  const who = embedded && poll.electorate === 'cookie' ? texts.who.framed : texts.who[poll.electorate];
  const sees = poll.electorate === 'declared' || poll.electorate === 'token' ? texts.seesDeclared : texts.sees;
  return <p class="promise small muted">{[who, sees, texts.whenResults[poll.visibility]].join(' ')}</p>;
}
