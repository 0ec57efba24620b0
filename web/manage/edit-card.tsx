/** Changing the words and terms of a poll. What voters have voted on stays. */
import { useState } from 'preact/hooks';
import type { Poll, PollEdit } from '../../protocol/poll.ts';
import { useTexts } from '../parts/page.tsx';
import type { Manager, Take } from './manager.ts';

type EditCardProps = {
  readonly poll: Poll;
  readonly hasBallots: boolean;
  readonly manager: Manager;
  readonly take: Take;
};

export function EditCard(props: EditCardProps) {
  const texts = useTexts('manage');
  return (
    <details class="card panel">
      <summary>{texts.edit}</summary>
      <EditForm key={props.poll.revision} {...props} />
      <LogoField {...props} />
    </details>
  );
}

function EditForm({ poll, hasBallots, manager, take }: EditCardProps) {
  const texts = useTexts('manage');
  const [question, setQuestion] = useState(poll.question);
  const [description, setDescription] = useState(poll.description ?? '');
  const [listed, setListed] = useState(poll.listed);
  const [parents, setParents] = useState(poll.embedParents.join('\n'));
  const [options, setOptions] = useState(poll.options.map(({ text }) => text).join('\n'));

  function toEdit(): PollEdit {
    const lines = options
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const isSame = lines.join('\n') === poll.options.map(({ text }) => text).join('\n');
    return {
      question,
      description: description.trim() === '' ? null : description.trim(),
      listed,
      embedParents: parents.split(/\s+/u).filter((origin) => origin !== ''),
      ...(hasBallots || isSame ? {} : { options: lines }),
    };
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void take(manager.edit(toEdit()), texts.done.edit);
      }}
    >
      <label>
        <span>{texts.question}</span>
        <input class="field" required value={question} onInput={(event) => setQuestion(event.currentTarget.value)} />
      </label>
      <label>
        <span>{texts.text}</span>
        <input class="field" value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
      </label>
      {hasBallots ? (
        <p class="small muted">{texts.optionsFrozen}</p>
      ) : (
        <label>
          <span>{texts.options}</span>
          <textarea class="field" rows={5} value={options} onInput={(event) => setOptions(event.currentTarget.value)} />
        </label>
      )}
      <label class="check">
        <input type="checkbox" checked={listed} onChange={(event) => setListed(event.currentTarget.checked)} />
        <span>{texts.listed}</span>
      </label>
      <label>
        <span>{texts.embedParents}</span>
        <textarea class="field" rows={2} value={parents} onInput={(event) => setParents(event.currentTarget.value)} />
      </label>
      <button class="button">{texts.save}</button>
    </form>
  );
}

function LogoField({ poll, manager, take }: EditCardProps) {
  const texts = useTexts('manage');
  return (
    <div class="logo">
      <label>
        <span>{texts.logo}</span>
        <small class="muted">{texts.logoChoose}</small>
        <input
          type="file"
          accept="image/png,image/jpeg,image/webp"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file !== undefined) void take(manager.setLogo(file), texts.done.logo);
          }}
        />
      </label>
      {poll.hasLogo ? (
        <button
          type="button"
          class="button quiet"
          onClick={() => void take(manager.setLogo(null), texts.done.logoRemoved)}
        >
          {texts.logoRemove}
        </button>
      ) : null}
    </div>
  );
}
