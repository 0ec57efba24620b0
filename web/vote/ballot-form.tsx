/** The ballot: options to choose from, then one vote. A real form, which the server takes without a script, too. */
import { useEffect, useRef } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill } from '../texts/wording.ts';
import { OptionList } from './option-list.tsx';
import { PromiseLine } from './poll-head.tsx';
import type { FormProblem } from './phase.ts';
import { toProblemText } from './problem-text.ts';
import { TokenField } from './token-field.tsx';
import type { Progress } from './use-sending.ts';
import type { Voting } from './use-voting.ts';

type BallotFormProps = { readonly poll: Poll; readonly voting: Voting } & Pick<PageProps['vote'], 'embedded'>;

export function BallotForm({ poll, voting, embedded }: BallotFormProps) {
  const texts = useTexts('vote');
  const { phase, chosen, key } = voting;
  const sending = phase.kind === 'sending';
  const open = poll.status === 'open';
  return (
    <form
      class="ballot"
      method="post"
      action={`${embedded ? '/embed' : '/p'}/${poll.slug}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (open && !sending) voting.send();
      }}
    >
      <input type="hidden" name="key" value={key} />
      <ProblemLine poll={poll} problem={phase.kind === 'choosing' ? phase.problem : null} />
      {poll.electorate === 'declared' ? <UserIdField voting={voting} disabled={sending} /> : null}
      {poll.electorate === 'token' ? <TokenField {...voting} disabled={sending} /> : null}
      <OptionList poll={poll} chosen={chosen} disabled={sending || !open} onChoose={voting.choose} />
      {open ? (
        <footer class="send">
          <div>
            <ProgressLine sending={sending} progress={voting.progress} />
            <ChosenCount poll={poll} chosenCount={chosen.length} />
            <button class="button" aria-disabled={sending}>
              {sending ? texts.sending : toSendText(poll, voting, texts)}
            </button>
            {phase.kind === 'choosing' && phase.changing ? <KeepLink voting={voting} /> : null}
            <PromiseLine poll={poll} embedded={embedded} />
          </div>
        </footer>
      ) : null}
    </form>
  );
}

/** A link, so that it leads back without a script, too. */
export function KeepLink({ voting }: { readonly voting: Voting }) {
  const texts = useTexts('vote');
  return (
    <a
      class="button quiet"
      href={voting.keepHref}
      onClick={(event) => {
        event.preventDefault();
        voting.keepAsItIs();
      }}
    >
      {texts.keep}
    </a>
  );
}

type Texts = ReturnType<typeof useTexts<'vote'>>;

function toSendText(poll: Poll, { phase, chosen }: Voting, texts: Texts): string {
  if (phase.kind === 'choosing' && phase.changing) return texts.sendChanged;
  return chosen.length === 0 && poll.selections.min === 0 ? texts.sendBlank : texts.send;
}

export function UserIdField({ voting, disabled }: { readonly voting: Voting; readonly disabled: boolean }) {
  const texts = useTexts('vote');
  return (
    <div class="user-id">
      <label for="user-id">{texts.userId}</label>
      <input
        class="field"
        id="user-id"
        name="userId"
        maxLength={255}
        autocomplete="username"
        value={voting.userId}
        disabled={disabled}
        aria-describedby="user-id-hint"
        onInput={(event) => voting.setUserId(event.currentTarget.value)}
      />
      <small class="muted" id="user-id-hint">
        {texts.userIdHint}
      </small>
    </div>
  );
}

function ChosenCount({ poll, chosenCount }: { readonly poll: Poll; readonly chosenCount: number }) {
  const texts = useTexts('vote');
  const { language } = useSetting();
  if (poll.selections.max === 1) return null;
  return (
    <p class="small muted num" role="status">
      {counted(texts.chosenCount, chosenCount, language)}
    </p>
  );
}

/** Why the form could not be sent. The focus goes to it, so that nobody looks for what is wrong. */
export function ProblemLine({ poll, problem }: { readonly poll: Poll; readonly problem: FormProblem | null }) {
  const texts = useTexts('vote');
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => line.current?.focus(), [problem]);
  if (problem === null) return null;
  return (
    <p class="notice bad" role="alert" tabIndex={-1} ref={line}>
      <b>{toProblemText(problem, poll, texts)}</b>
    </p>
  );
}

const tickMs = 500;

export function ProgressLine({ sending, progress }: { readonly sending: boolean; readonly progress: Progress }) {
  const texts = useTexts('vote');
  useLedgerNow(tickMs);
  if (!sending) return null;
  const { pause, slow } = progress;
  const seconds = pause === null ? 0 : Math.max(1, Math.ceil((pause.untilMs - Date.now()) / 1_000));
  const words =
    pause?.why === 'offline'
      ? texts.offline
      : pause?.why === 'overloaded'
        ? fill(texts.tryingIn, { seconds })
        : slow || pause !== null
          ? texts.stillTrying
          : '';
  return (
    <p class="progress small" role="status">
      {words}
    </p>
  );
}
