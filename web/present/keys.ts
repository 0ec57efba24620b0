/** Which key does what on the projector page. Presentation remotes send PageUp and PageDown. */

export type Command =
  | 'previous'
  | 'next'
  | 'toggle_voting'
  | 'toggle_results'
  | 'toggle_join'
  | 'toggle_full_screen'
  | 'leave'
  | 'help';

export type KeyPress = {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  /** The key is being held down. */
  readonly repeat: boolean;
};

/** What has the focus: a field takes every key, a control takes those that press it. */
export type Focus = 'page' | 'control' | 'field';

const commands: ReadonlyMap<string, Command> = new Map([
  ['ArrowLeft', 'previous'],
  ['PageUp', 'previous'],
  ['ArrowRight', 'next'],
  ['PageDown', 'next'],
  [' ', 'toggle_voting'],
  ['r', 'toggle_results'],
  ['q', 'toggle_join'],
  ['f', 'toggle_full_screen'],
  ['Escape', 'leave'],
  ['?', 'help'],
]);

export function toCommand(press: KeyPress, focus: Focus): Command | null {
  if (press.repeat || press.ctrlKey || press.altKey || press.metaKey || focus === 'field') return null;
  if (focus === 'control' && press.key === ' ') return null;
  return commands.get(press.key) ?? commands.get(press.key.toLowerCase()) ?? null;
}

const fields = 'input, select, textarea, [contenteditable=""], [contenteditable="true"]';

export function toFocus(element: Element | null): Focus {
  if (element === null) return 'page';
  if (element.matches(fields)) return 'field';
  return element.matches('button, summary') ? 'control' : 'page';
}
