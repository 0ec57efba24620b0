/** What the keys do, and the switch that turns them off. A dialog of the browser's own: it keeps the focus and gives it back. */
import { useEffect, useRef } from 'preact/hooks';
import { useTexts } from '../parts/page.tsx';
import type { KeySetting } from './use-keys.ts';

export type HelpDialogProps = {
  readonly open: boolean;
  readonly keys: KeySetting;
  readonly onClose: () => void;
};

export function HelpDialog({ open, keys, onClose }: HelpDialogProps) {
  const { keys: texts } = useTexts('present');
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!open) return;
    dialog.current?.showModal();
    title.current?.focus();
  }, [open]);
  const { names } = texts;
  const rows: readonly (readonly [keys: readonly string[], meaning: string])[] = [
    [[names.previous, names.next, names.pageUp, names.pageDown], texts.steps],
    [[names.space], texts.voting],
    [['R'], texts.results],
    [['Q'], texts.join],
    [['F'], texts.fullScreen],
    [[names.escape], texts.leave],
    [['?'], texts.help],
  ];
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title" tabIndex={-1} ref={title}>
        {texts.title}
      </h2>
      <p>{texts.intro}</p>
      <dl class={keys.on ? '' : 'off'}>
        {rows.map(([names, meaning]) => (
          <div key={meaning}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <label class="setting">
        <input
          type="checkbox"
          checked={keys.on}
          aria-describedby="help-setting"
          onChange={(event) => keys.set(event.currentTarget.checked)}
        />
        {texts.setting}
      </label>
      <p class="hint" id="help-setting">
        {texts.settingHint}
      </p>
      <form method="dialog">
        <button class="button" type="submit">
          {texts.done}
        </button>
      </form>
    </dialog>
  );
}
