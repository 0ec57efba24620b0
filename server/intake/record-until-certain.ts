/**
 * Records one batch until it is certain what became of it.
 *
 * A batch fails in doubt when the connection broke or the answer did not come: then it may be in the ledger. Recording the same
 * batch again is harmless, because a ballot that is there already is found by its id, and it turns the doubt into
 * an answer. Only when the ledger stays away for the whole time is the batch given up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRecorded } from '../ledger/ballot-lane.ts';
import { BatchFailed } from '../ledger/batch-failure.ts';

export type BatchCertain = { readonly kind: 'recorded'; readonly recorded: BatchRecorded; readonly inDoubt: boolean };
/** `inDoubt`: the batch may be in the ledger; otherwise it is certainly not. */
export type BatchLost = { readonly kind: 'lost'; readonly inDoubt: boolean; readonly cause: unknown };

/** Nothing is in the ledger, and never will be: something in the batch itself cannot be recorded. */
export type BatchUnrecordable = { readonly kind: 'unrecordable'; readonly cause: unknown };

export type CertaintyOptions = {
  /** How long a failed batch is tried again. A statement under way is always waited for. */
  readonly msMax: number;
  /** Between a failure and the next attempt. */
  readonly pauseMs: number;
  /** Called for each failed attempt; `inDoubt` tells of all attempts so far. */
  readonly onFailure: (error: unknown, inDoubt: boolean) => void;
};

export async function recordUntilCertain(
  record: () => Promise<BatchRecorded>,
  { msMax, pauseMs, onFailure }: CertaintyOptions,
): Promise<BatchCertain | BatchLost | BatchUnrecordable> {
  const deadline = performance.now() + msMax;
  let inDoubt = false;
  for (;;) {
    try {
      return { kind: 'recorded', recorded: await record(), inDoubt };
    } catch (error) {
      inDoubt ||= !(error instanceof BatchFailed) || error.recorded === 'unknown';
      if (!inDoubt && error instanceof BatchFailed && error.isUnrecordable)
        return { kind: 'unrecordable', cause: error };
      onFailure(error, inDoubt);
      if (performance.now() >= deadline) return { kind: 'lost', inDoubt, cause: error };
      await sleep(pauseMs);
    }
  }
}
