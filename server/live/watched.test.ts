import { expect, test } from 'vitest';
import { createWatched } from './watched.ts';

function watchNumber() {
  const state = { number: 1 };
  const told: number[] = [];
  const watched = createWatched(() => ({ value: { number: state.number }, key: String(state.number) }));
  return { state, told, watched };
}

test('a watcher is told at once, then when the key has changed, and no more once it has left', () => {
  const { state, told, watched } = watchNumber();
  const leave = watched.join(({ number }) => void told.push(number));
  watched.tick(true);
  state.number = 2;
  watched.tick(false);
  leave();
  state.number = 3;
  watched.tick(false);
  expect(told).toEqual([1, 2]);
  expect(watched.empty()).toBe(true);
});

test('a watcher that could not take a value is told what stands at the next tick, and only once', () => {
  const { state, told, watched } = watchNumber();
  let full = true;
  watched.join(({ number }) => {
    if (full) return false;
    told.push(number);
    return true;
  });
  state.number = 2;
  watched.tick(false);
  state.number = 3;
  full = false;
  watched.tick(false);
  watched.tick(false);
  expect(told).toEqual([3]);
});

test('watchers of one tick are told of the same object', () => {
  const { state, watched } = watchNumber();
  const seen: object[] = [];
  watched.join((value) => void seen.push(value));
  watched.join((value) => void seen.push(value));
  state.number = 2;
  watched.tick(false);
  expect(seen[2]).toBe(seen[3]);
});
