/** Opening, pausing, closing, moving the closing time, showing and hiding the results. */
import { useState } from 'preact/hooks';
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
  return (
    <section class="card panel" aria-labelledby="steps">
      <h2 id="steps">{texts.steps}</h2>
      <div class="buttons">
        {status === 'draft' || status === 'paused' ? (
          <button class="button" onClick={() => void take(manager.step('open'), texts.done.open)}>
            {status === 'draft' ? texts.open : texts.resume}
          </button>
        ) : null}
        {status === 'open' ? (
          <button class="button quiet" onClick={() => void take(manager.step('pause'), texts.done.pause)}>
            {texts.pause}
          </button>
        ) : null}
        {isOn && !closing ? (
          <button class="button" onClick={() => setClosing(true)}>
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
          <button class="button" onClick={() => void take(manager.step('reopen'), texts.done.reopen)}>
            {texts.reopen}
          </button>
        ) : null}
      </div>
      {closing && isOn ? (
        <div class="notice warn">
          <p>{texts.closeSure}</p>
          <div class="buttons">
            <button
              class="button"
              onClick={() => {
                setClosing(false);
                void take(manager.step('close'), texts.done.close);
              }}
            >
              {texts.closeConfirm}
            </button>
            <button class="button quiet" onClick={() => setClosing(false)}>
              {texts.cancel}
            </button>
          </div>
        </div>
      ) : null}
      <VisibilityStep poll={poll} manager={manager} take={take} />
    </section>
  );
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
