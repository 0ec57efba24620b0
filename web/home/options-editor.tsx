/** The options of a new poll: Enter adds one, pasted lines add many, Backspace in an empty one removes it. */
import { useRef } from 'preact/hooks';
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import { findOptionFaults, removeOption, setOption } from './draft.ts';

const optionCharsMax = 500;

type OptionsEditorProps = { readonly options: readonly string[]; readonly onChange: (options: string[]) => void };

export function OptionsEditor({ options, onChange }: OptionsEditorProps) {
  const texts = useTexts('home');
  const list = useRef<HTMLOListElement>(null);
  const faults = findOptionFaults(options);

  function focus(index: number): void {
    const find = (): HTMLInputElement | undefined => list.current?.querySelectorAll('input')[index];
    // At once, so that no key that is pressed next goes astray; the field may be one that this very change makes.
    if (find() === undefined) requestAnimationFrame(() => find()?.focus());
    else find()?.focus();
  }

  function onKey(event: KeyboardEvent, index: number): void {
    const { value } = event.currentTarget as HTMLInputElement; // The field that listens.
    if (event.key === 'Enter') {
      event.preventDefault();
      focus(index + 1);
    } else if (event.key === 'Backspace' && value === '' && index > 0) {
      event.preventDefault();
      onChange(removeOption({ options }, index));
      focus(index - 1);
    }
  }

  return (
    <ol class="options" ref={list}>
      {options.map((text, index) => (
        // Options have no name but their place while they are written.
        <li key={index}>
          <span class="num muted" aria-hidden="true">
            {index + 1}
          </span>
          <input
            class="field"
            name="option"
            value={text}
            maxLength={optionCharsMax}
            autocomplete="off"
            placeholder={index === options.length - 1 ? texts.optionHint : ''}
            aria-label={fill(texts.option, { number: index + 1 })}
            aria-invalid={faults.has(index)}
            onInput={(event) => onChange(setOption({ options }, index, event.currentTarget.value))}
            onKeyDown={(event) => onKey(event, index)}
            onPaste={(event) => {
              const pasted = event.clipboardData?.getData('text/plain') ?? '';
              if (!pasted.includes('\n')) return;
              event.preventDefault();
              onChange(setOption({ options }, index, pasted));
            }}
          />
          {faults.has(index) ? <small class="fault">{texts.repeated}</small> : null}
        </li>
      ))}
    </ol>
  );
}
