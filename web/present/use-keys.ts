/** The keys of the projector page, and the switch that turns them off (WCAG 2.1.4). */
import { useEffect, useRef, useState } from 'preact/hooks';
import { toCommand, toFocus, type Command } from './keys.ts';

const storedAs = 'hustings.present.keys';

export type KeySetting = { readonly on: boolean; set(on: boolean): void };

/** On, unless this browser remembers otherwise. */
export function useKeySetting(): KeySetting {
  const [on, setOn] = useState(true);
  useEffect(() => setOn(localStorage.getItem(storedAs) !== 'off'), []);
  return {
    on,
    set(wanted) {
      localStorage.setItem(storedAs, wanted ? 'on' : 'off');
      setOn(wanted);
    },
  };
}

/** `onCommand` answers whether it had something to do; only then the browser's own meaning of the key is put off. */
export function useKeys(on: boolean, onCommand: (command: Command) => boolean): void {
  const latest = useRef(onCommand);
  latest.current = onCommand;
  useEffect(() => {
    if (!on) return undefined;
    function onKey(event: KeyboardEvent): void {
      // An open dialog has keys of its own.
      if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
      const command = toCommand(event, toFocus(document.activeElement));
      if (command !== null && latest.current(command)) event.preventDefault();
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [on]);
}
