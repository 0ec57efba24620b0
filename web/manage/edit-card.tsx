/** Changing the words and terms of a poll. What voters have voted on stays. */
import { useState } from 'preact/hooks';
import type { Poll, PollEdit } from '../../protocol/poll.ts';
import { useTexts } from '../parts/page.tsx';
import type { Manager, Take } from './manager.ts';
import { SaidLine, type Said } from './said-line.tsx';

type EditCardProps = {
  readonly poll: Poll;
  readonly hasBallots: boolean;
  readonly manager: Manager;
  readonly take: Take;
  readonly said: Said | null;
};

export function EditCard(props: EditCardProps) {
  const texts = useTexts('manage');
  return (
    <details class="card panel">
      <summary>{texts.edit}</summary>
      <EditForm key={props.poll.id} {...props} />
      <SaidLine said={props.said} />
      <LogoField {...props} />
    </details>
  );
}

type Fields = {
  readonly question: string;
  readonly description: string;
  readonly listed: boolean;
  readonly parents: string;
  readonly options: string;
};

const toFields = (poll: Poll): Fields => ({
  question: poll.question,
  description: poll.description ?? '',
  listed: poll.listed,
  parents: poll.embedParents.join('\n'),
  options: poll.options.map(({ text }) => text).join('\n'),
});

function toEdit(fields: Fields, poll: Poll, hasBallots: boolean): PollEdit {
  const lines = fields.options
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const isSame = lines.join('\n') === toFields(poll).options;
  return {
    question: fields.question,
    description: fields.description.trim() === '' ? null : fields.description.trim(),
    listed: fields.listed,
    embedParents: fields.parents.split(/\s+/u).filter((origin) => origin !== ''),
    ...(hasBallots || isSame ? {} : { options: lines }),
  };
}

function EditForm({ poll, hasBallots, manager, take }: EditCardProps) {
  const texts = useTexts('manage');
  // The poll may change at any moment, here or elsewhere: what is being typed stays, and the other fields follow the poll.
  const [touched, setTouched] = useState<Partial<Fields>>({});
  const fields: Fields = { ...toFields(poll), ...touched };
  const touch = (field: Partial<Fields>): void => setTouched((earlier) => ({ ...earlier, ...field }));

  async function save(): Promise<void> {
    const work = manager.edit(toEdit(fields, poll, hasBallots));
    await take(work, texts.done.edit);
    // Whoever has typed on meanwhile goes on with that.
    if ('value' in (await work)) setTouched((now) => (now === touched ? {} : now));
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <label>
        <span>{texts.question}</span>
        <input
          class="field"
          required
          value={fields.question}
          onInput={(event) => touch({ question: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{texts.text}</span>
        <input
          class="field"
          value={fields.description}
          onInput={(event) => touch({ description: event.currentTarget.value })}
        />
      </label>
      {hasBallots ? (
        <p class="small muted">{texts.optionsFrozen}</p>
      ) : (
        <label>
          <span>{texts.options}</span>
          <textarea
            class="field"
            rows={5}
            value={fields.options}
            onInput={(event) => touch({ options: event.currentTarget.value })}
          />
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={fields.listed}
          onChange={(event) => touch({ listed: event.currentTarget.checked })}
        />
        <span>{texts.listed}</span>
      </label>
      <label>
        <span>{texts.embedParents}</span>
        <textarea
          class="field"
          rows={2}
          value={fields.parents}
          onInput={(event) => touch({ parents: event.currentTarget.value })}
        />
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
