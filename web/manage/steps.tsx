/** Opening, pausing, closing, moving the closing time, showing and hiding the results. */
import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import type { Manager, Take } from './manager.ts';

type StepsProps = { readonly poll: Poll; readonly manager: Manager; readonly take: Take };

export function Steps({ poll, manager, take }: StepsProps) {
  const texts = useTexts('manage');
  const [closing, setClosing] = useState(false);
  const { status } = poll;
  const isOn = status === 'open' || status === 'paused';
  const asked = closing && isOn;
  const { heading, question, keepFocus } = useFocusAfter(status, asked);

  function step(name: 'open' | 'pause' | 'close' | 'reopen'): void {
    keepFocus();
    void take(manager.step(name), texts.done[name]);
  }
  function askToClose(next: boolean): void {
    keepFocus();
    setClosing(next);
  }

  return (
    <section class="card panel" aria-labelledby="steps">
      <h2 id="steps" tabIndex={-1} ref={heading}>
        {texts.steps}
      </h2>
      <div class="buttons">
        {status === 'draft' || status === 'paused' ? (
          <button key="open" class="button" onClick={() => step('open')}>
            {status === 'draft' ? texts.open : texts.resume}
          </button>
        ) : null}
        {status === 'open' ? (
          <button key="pause" class="button quiet" onClick={() => step('pause')}>
            {texts.pause}
          </button>
        ) : null}
        {isOn && !closing ? (
          <button key="close" class="button" onClick={() => askToClose(true)}>
            {texts.close}
          </button>
        ) : null}
        {isOn ? (
          <>
            <button class="button quiet" onClick={() => void take(manager.extend(1), texts.done.extend)}>
              {texts.plusOne}
            </button>
            <button class="button quiet" onClick={() => void take(manager.extend(5), texts.done.extend)}>
              {texts.plusFive}
            </button>
          </>
        ) : null}
        {status === 'closed' ? (
          <button key="reopen" class="button" onClick={() => step('reopen')}>
            {texts.reopen}
          </button>
        ) : null}
      </div>
      {asked ? (
        <CloseQuestion
          line={question}
          onAnswer={(sure) => {
            askToClose(false);
            if (sure) step('close');
          }}
        />
      ) : null}
      <VisibilityStep poll={poll} manager={manager} take={take} />
    </section>
  );
}

type CloseQuestionProps = {
  readonly line: Ref<HTMLParagraphElement>;
  readonly onAnswer: (sure: boolean) => void;
};

function CloseQuestion({ line, onAnswer }: CloseQuestionProps) {
  const texts = useTexts('manage');
  return (
    <div class="notice warn">
      <p tabIndex={-1} ref={line}>
        {texts.closeSure}
      </p>
      <div class="buttons">
        <button class="button" onClick={() => onAnswer(true)}>
          {texts.closeConfirm}
        </button>
        <button class="button quiet" onClick={() => onAnswer(false)}>
          {texts.cancel}
        </button>
      </div>
    </div>
  );
}

/** A button that goes with its step takes the focus along. It comes to the question that the step asks, or to the heading of the steps. */
function useFocusAfter(status: Poll['status'], asked: boolean) {
  const heading = useRef<HTMLHeadingElement>(null);
  const question = useRef<HTMLParagraphElement>(null);
  const pressed = useRef(false);
  useEffect(() => {
    // What others do to the poll moves nobody's focus.
    const lost = pressed.current && document.activeElement === document.body;
    pressed.current = false;
    if (lost) (asked ? question : heading).current?.focus();
  }, [status, asked]);
  return {
    heading,
    question,
    keepFocus(): void {
      pressed.current = true;
    },
  };
}

function VisibilityStep({ poll, manager, take }: StepsProps) {
  const texts = useTexts('manage');
  const next = poll.visibility === 'always' ? 'manager' : 'always';
  return (
    <div class="line">
      <span>
        {texts.shown}: {texts.visibility[poll.visibility]}
      </span>
      <button
        class="button quiet"
        onClick={() =>
          void take(
            manager.edit({ visibility: next }),
            fill(texts.done.visibility, { visibility: texts.visibility[next] }),
          )
        }
      >
        {next === 'always' ? texts.show : texts.hide}
      </button>
    </div>
  );
}
