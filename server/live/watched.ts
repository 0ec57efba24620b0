/** A topic for parts of this process: they are told at once, and again whenever the key of what they watch has changed. */
import type { Topic } from './topic.ts';

/** Answers false where the value cannot be told on now: then it comes again at the next tick, or what is newer by then. */
export type OnChange<Value> = (value: Value) => boolean | void;

export type Watched<Value> = Topic & { join(onChange: OnChange<Value>): () => void };

type Look<Value> = { readonly value: Value; readonly key: string };

export function createWatched<Value>(look: () => Look<Value>): Watched<Value> {
  const listeners = new Set<{ readonly onChange: OnChange<Value>; key: string | null }>();
  let last: Look<Value> | null = null;

  return {
    tick() {
      const now = look();
      if (last?.key !== now.key) last = now;
      for (const listener of listeners) {
        if (listener.key === last.key) continue;
        if (listener.onChange(last.value) !== false) listener.key = last.key;
      }
    },
    empty: () => listeners.size === 0,
    join(onChange) {
      const listener: { onChange: OnChange<Value>; key: string | null } = { onChange, key: null };
      const now = look();
      if (last?.key !== now.key) last = now;
      listeners.add(listener);
      if (onChange(last.value) !== false) listener.key = last.key;
      return () => void listeners.delete(listener);
    },
  };
}
