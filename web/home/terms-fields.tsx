/** Everything about a new poll besides its question and options: folded away until somebody wants it. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import { contrastRatio } from '../parts/contrast.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { fill, toNumberText } from '../texts/wording.ts';
import { optionsMax, toTerms, type Draft } from './draft.ts';

type Change = (change: Partial<Draft>) => void;
type FieldsProps = { readonly draft: Draft; readonly onChange: Change };

export function TermsFields({ takesTokens, ...props }: FieldsProps & Pick<PageProps['home'], 'takesTokens'>) {
  const texts = useTexts('home');
  return (
    <details class="terms">
      <summary>{texts.more}</summary>
      <WhoFields {...props} takesTokens={takesTokens} />
      <WhenFields {...props} />
      <SeeFields {...props} />
    </details>
  );
}

function WhoFields({ draft, takesTokens, onChange }: FieldsProps & Pick<PageProps['home'], 'takesTokens'>) {
  const texts = useTexts('home');
  const { token, ...others } = texts.electorate;
  const { electorate: chosen, selectionsMax: countMax } = toTerms(draft);
  return (
    <fieldset>
      <legend>{texts.who}</legend>
      <Choice
        label={texts.who}
        value={chosen}
        choices={takesTokens || chosen === 'token' ? { ...others, token } : others}
        onChange={(electorate) => onChange({ electorate })}
      />
      {chosen === 'open' ? null : (
        <Check checked={draft.revote === 'replace'} onChange={(on) => onChange({ revote: on ? 'replace' : 'refuse' })}>
          {texts.revote}
        </Check>
      )}
      {draft.kind === 'board' ? null : (
        <div class="row">
          <span>{texts.selections}</span>
          <Count
            label={texts.from}
            value={draft.selectionsMin}
            min={0}
            onChange={(selectionsMin) => onChange({ selectionsMin })}
          />
          <Count label={texts.to} value={countMax} min={1} onChange={(selectionsMax) => onChange({ selectionsMax })} />
        </div>
      )}
    </fieldset>
  );
}

function WhenFields({ draft, onChange }: FieldsProps) {
  const texts = useTexts('home');
  return (
    <fieldset>
      <legend>{texts.when}</legend>
      <div class="row">
        <Choice
          label={texts.opens}
          shown
          value={draft.opens}
          choices={texts.opensChoice}
          onChange={(opens) => onChange({ opens })}
        />
        {draft.opens === 'at' ? (
          <Moment label={texts.opens} value={draft.opensAt} onChange={(opensAt) => onChange({ opensAt })} />
        ) : null}
      </div>
      <div class="row">
        <Choice
          label={texts.closes}
          shown
          value={draft.closes}
          choices={texts.closesChoice}
          onChange={(closes) => onChange({ closes })}
        />
        {draft.closes === 'at' ? (
          <Moment label={texts.closes} value={draft.closesAt} onChange={(closesAt) => onChange({ closesAt })} />
        ) : null}
      </div>
    </fieldset>
  );
}

const paper = '#ffffff';
const ratioMin = 3;
const colorAtFirst = '#1d4ed8';

function SeeFields({ draft, onChange }: FieldsProps) {
  const texts = useTexts('home');
  const { language } = useSetting();
  const ratio = draft.color === null ? null : contrastRatio(draft.color, paper);
  return (
    <fieldset>
      <legend>{texts.see}</legend>
      <Choice
        label={texts.see}
        value={toTerms(draft).visibility}
        choices={texts.visibility}
        onChange={(visibility) => onChange({ visibility })}
      />
      <Check checked={draft.listed} onChange={(listed) => onChange({ listed })}>
        {texts.listed}
      </Check>
      <Text label={texts.text} value={draft.description} onChange={(description) => onChange({ description })} />
      <Text label={texts.slug} hint={texts.slugHint} value={draft.slug} onChange={(slug) => onChange({ slug })} />
      <div class="row">
        <Check checked={draft.color !== null} onChange={(on) => onChange({ color: on ? colorAtFirst : null })}>
          {texts.color}
        </Check>
        {draft.color === null ? null : (
          <input
            type="color"
            aria-label={texts.color}
            value={draft.color}
            onInput={(event) => onChange({ color: event.currentTarget.value })}
          />
        )}
      </div>
      {ratio !== null && ratio < ratioMin ? (
        <p class="small fault" role="status">
          {fill(texts.colorWeak, { ratio: toNumberText(ratio, language, 1) })}
        </p>
      ) : null}
      <label class="text">
        <span>{texts.embed}</span>
        <textarea
          class="field"
          rows={2}
          value={draft.embedParents}
          onInput={(event) => onChange({ embedParents: event.currentTarget.value })}
        />
      </label>
    </fieldset>
  );
}

type ChoiceProps<Value extends string> = {
  readonly label: string;
  /** Whether the label is to be seen; the legend around says it otherwise. */
  readonly shown?: boolean;
  readonly value: Value;
  readonly choices: Readonly<Partial<Record<Value, string>>>;
  readonly onChange: (value: Value) => void;
};

function Choice<Value extends string>({ label, shown = false, value, choices, onChange }: ChoiceProps<Value>) {
  return (
    <label class="text">
      <span class={shown ? '' : 'visually-hidden'}>{label}</span>
      <select class="field" value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {(Object.entries(choices) as [Value, string][]).map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function Check({
  checked,
  onChange,
  children,
}: {
  readonly checked: boolean;
  readonly onChange: (on: boolean) => void;
  readonly children: ComponentChildren;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

type CountProps = {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly onChange: (value: number) => void;
};

/** While somebody types, the field shows what is typed, even nothing; a number that cannot stand is mended when they leave it. */
function Count({ label, value, min, onChange }: CountProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const clamp = (count: number): number => Math.min(Math.max(Math.round(count), min), optionsMax);
  return (
    <label class="count">
      <span>{label}</span>
      <input
        class="field num"
        type="number"
        min={min}
        max={optionsMax}
        value={typed ?? value}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          // An empty field says nothing yet: what was there before goes on until a number comes.
          if (text !== '' && clamp(Number(text)) === Number(text)) onChange(Number(text));
        }}
        onBlur={() => {
          if (typed !== null && typed !== '') onChange(clamp(Number(typed)));
          setTyped(null);
        }}
      />
    </label>
  );
}

function Moment({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <input
      class="field"
      type="datetime-local"
      aria-label={label}
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

type TextProps = {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

function Text({ label, hint, value, onChange }: TextProps) {
  const id = useId();
  return (
    <div class="text">
      <label for={id}>{label}</label>
      <input
        class="field"
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {hint === undefined ? null : (
        <small class="muted" id={`${id}-hint`}>
          {hint}
        </small>
      )}
    </div>
  );
}
