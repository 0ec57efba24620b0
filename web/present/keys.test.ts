import { expect, test } from 'vitest';
import { toCommand, type KeyPress } from './keys.ts';

function press(key: string, more: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, altKey: false, metaKey: false, repeat: false, ...more };
}

test.for([
  ['ArrowLeft', 'previous'],
  ['PageUp', 'previous'],
  ['ArrowRight', 'next'],
  ['PageDown', 'next'],
  [' ', 'toggle_voting'],
  ['r', 'toggle_results'],
  ['R', 'toggle_results'],
  ['q', 'toggle_join'],
  ['f', 'toggle_full_screen'],
  ['Escape', 'leave'],
  ['?', 'help'],
  ['x', null],
  ['constructor', null],
] as const)('the key %o means %s', ([key, command]) => {
  expect(toCommand(press(key), 'page')).toBe(command);
});

test('a field takes every key', () => {
  for (const key of ['r', ' ', 'Escape', 'ArrowRight', '?']) expect(toCommand(press(key), 'field')).toBeNull();
});

test('Space presses the control that has the focus and nothing else', () => {
  expect(toCommand(press(' '), 'control')).toBeNull();
  expect(toCommand(press('r'), 'control')).toBe('toggle_results');
});

test('a key that is held down, or pressed with another, is not ours', () => {
  for (const more of [{ repeat: true }, { ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
    expect(toCommand(press('r', more), 'page')).toBeNull();
  }
});
