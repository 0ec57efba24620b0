/** The form that makes a poll. Without a script it sends the question, the options and the kind; with one, everything. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import { toClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { unreachable } from '../parts/refusal-text.ts';
import { useBackOnline } from '../parts/use-back-online.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { fill } from '../texts/wording.ts';
import {
  emptyDraft,
  findChoiceLimit,
  findOptionFaults,
  kinds,
  namedOptions,
  optionsMin,
  toKind,
  toNewPoll,
  toTerms,
  type Draft,
} from './draft.ts';
import { takeDuplicate } from './duplicate.ts';
import { OptionsEditor } from './options-editor.tsx';
import { sendPoll } from './send-poll.ts';
import { TermsFields } from './terms-fields.tsx';

type CreateFormProps = Omit<PageProps['home'], 'polls'>;

/** `code` is the server's, or `unreachable`; absent where the form itself found the fault. */
type Failure = { readonly words: string; readonly code?: string };

const questionCharsMax = 1_000;
const clockStepMs = 1_000;

export function CreateForm({ needsCreateKey, takesTokens, refused }: CreateFormProps) {
  const texts = useTexts('home');
  const now = useLedgerNow(clockStepMs);
  const [draft, setDraft] = useState<Draft>(() =>
    refused === null ? emptyDraft : { ...emptyDraft, question: refused.question, options: [...refused.options, ''] },
  );
  const [createKey, setCreateKey] = useState('');
  const [state, setState] = useState<'writing' | 'sending'>('writing');
  const [failure, setFailure] = useState<Failure | null>(refused === null ? null : { words: texts.refused });
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));

  useEffect(() => {
    const duplicate = takeDuplicate();
    if (duplicate !== null) setDraft(duplicate);
  }, []);
  useBackOnline(() => setFailure((before) => (before?.code === unreachable ? null : before)));

  async function submit(): Promise<void> {
    if (namedOptions(draft).length < optionsMin || findOptionFaults(draft.options).size > 0) {
      return setFailure({ words: texts.refused });
    }
    setState('sending');
    setFailure(null);
    const sent = await sendPoll(toNewPoll(draft, now), createKey, texts);
    if ('manageUrl' in sent) return location.assign(sent.manageUrl);
    setState('writing');
    const words = sent.code === 'credential_missing' ? texts.keyNeeded : fill(texts.failed, { detail: sent.refused });
    setFailure({ words, code: sent.code });
  }

  return (
    <form
      class="card ask"
      method="post"
      action="/"
      aria-label={texts.create}
      onSubmit={(event) => {
        event.preventDefault();
        if (state === 'writing') void submit();
      }}
    >
      <KindChoice draft={draft} onChange={setDraft} />
      {failure === null ? null : <FailureNotice failure={failure} />}
      <input
        class="field question"
        name="question"
        required
        maxLength={questionCharsMax}
        autocomplete="off"
        placeholder={texts.questionHint}
        aria-label={texts.question}
        value={draft.question}
        onInput={(event) => change({ question: event.currentTarget.value })}
      />
      <OptionsEditor options={draft.options} onChange={(options) => change({ options })} />
      <TermsFields draft={draft} takesTokens={takesTokens} onChange={change} />
      {needsCreateKey ? <CreateKeyField value={createKey} onChange={setCreateKey} /> : null}
      <div class="submit">
        <button class="button" aria-disabled={state === 'sending'}>
          {state === 'sending' ? texts.submitting : texts.submit}
        </button>
        <Sentence draft={draft} now={now} />
      </div>
    </form>
  );
}

function FailureNotice({ failure }: { readonly failure: Failure }) {
  const alert = useRef<HTMLParagraphElement>(null);
  useEffect(() => alert.current?.focus(), [failure]);
  return (
    <p class="notice bad" role="alert" tabIndex={-1} ref={alert}>
      {failure.words}
    </p>
  );
}

function CreateKeyField({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  const texts = useTexts('home');
  return (
    <label class="text">
      <span>{texts.createKey}</span>
      <input
        class="field"
        type="password"
        autocomplete="off"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

function KindChoice({ draft, onChange }: { readonly draft: Draft; readonly onChange: (draft: Draft) => void }) {
  const texts = useTexts('home');
  return (
    <fieldset class="kinds">
      <legend class="visually-hidden">{texts.kind}</legend>
      {kinds.map((kind) => (
        <label key={kind}>
          <input
            type="radio"
            name="kind"
            value={kind}
            checked={draft.kind === kind}
            onChange={() => onChange(toKind(draft, kind, [texts.yes, texts.no]))}
          />
          <span>{texts.kinds[kind]}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What the form means, in one sentence. */
function Sentence({ draft, now }: { readonly draft: Draft; readonly now: number }) {
  const texts = useTexts('home');
  const { language } = useSetting();
  const { closesAt, opensAt } = toNewPoll(draft, now);
  const { electorate, visibility } = toTerms(draft);
  const limit = findChoiceLimit(draft);
  const who = texts.sentenceWho[electorate];
  const say = (at: string): string => toClockText(at, language, 'moment');
  const words = fill(texts.sentence, {
    who: limit === null ? who : `${who}, ${fill(texts.sentenceUpTo, { count: limit })}`,
    opens:
      opensAt === undefined
        ? texts.sentenceOpens[draft.opens === 'by_hand' ? 'by_hand' : 'now']
        : fill(texts.sentenceOpens.at, { time: say(opensAt) }),
    closes:
      closesAt === undefined || closesAt === null
        ? texts.sentenceCloses.by_hand
        : fill(texts.sentenceCloses.at, { time: say(closesAt) }),
    see: texts.sentenceSee[visibility],
  });
  return <p class="small muted">{words}</p>;
}
