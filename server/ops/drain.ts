/** Ending in order: each part is ended after those that depend on it, and the whole within its time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';

/** The name of a part and how it ends. */
export type DrainStep = readonly [name: string, end: () => void | Promise<void>];

export type DrainOptions = { readonly timeoutMs: number; readonly log: Logger };

/** Answers a function that runs the steps in their order. Called again, it waits for the same end. */
export function createDrain({ timeoutMs, log }: DrainOptions, steps: readonly DrainStep[]): () => Promise<void> {
  let draining: Promise<void> | null = null;

  async function drain(): Promise<void> {
    const cancel = new AbortController();
    const timeout = sleep(timeoutMs, 'timeout' as const, { signal: cancel.signal, ref: false }).catch(
      () => 'timeout' as const,
    );
    for (const [name, end] of steps) {
      const ended = await Promise.race([runStep(name, end), timeout]);
      // A part that does not end in time is left behind; those after it still get their turn.
      if (ended === 'timeout') log.warn({ part: name, timeoutMs }, 'part did not end in time');
    }
    cancel.abort();
  }

  async function runStep(name: string, end: () => void | Promise<void>): Promise<'ended'> {
    try {
      await end();
    } catch (error) {
      log.error({ err: error, part: name }, 'part did not end cleanly');
    }
    return 'ended';
  }

  return () => (draining ??= drain());
}
