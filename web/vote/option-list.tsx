/** The options of a ballot: native radio buttons or checkboxes, each in a card of its own. */
import type { Poll } from '../../protocol/poll.ts';
import { useTexts } from '../parts/page.tsx';

type OptionListProps = {
  readonly poll: Pick<Poll, 'options' | 'selections'>;
  readonly chosen: readonly string[];
  /** Nothing can be chosen now; what is chosen stays to be seen. */
  readonly disabled: boolean;
  readonly onChoose: (optionId: string, isChosen: boolean) => void;
};

export function OptionList({ poll, chosen, disabled, onChoose }: OptionListProps) {
  const texts = useTexts('vote');
  const single = poll.selections.max === 1;
  return (
    <fieldset class="options" disabled={disabled} aria-describedby="instruction">
      <legend class="visually-hidden">{texts.options}</legend>
      {poll.options.map(({ id, text, description }) => (
        <label key={id} class="option">
          <input
            type={single ? 'radio' : 'checkbox'}
            name="option"
            value={id}
            checked={chosen.includes(id)}
            onChange={(event) => onChoose(id, event.currentTarget.checked)}
          />
          <svg class="cross" viewBox="0 0 18 18" aria-hidden="true">
            <path d="M3.5 3.2 14.5 14.8M14.7 3 3.3 15" />
          </svg>
          <span class="words">
            <bdi>{text}</bdi>
            {description === null ? null : <small dir="auto">{description}</small>}
          </span>
          <span class="picked" aria-hidden="true">
            {texts.yourChoice}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
