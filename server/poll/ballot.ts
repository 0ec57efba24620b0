/** A ballot on its way into the ledger, and the rules for the selections on it. */
import type { Poll } from './poll.ts';
import type { Violation } from './check-poll.ts';

export type Ballot = {
  readonly poll: Poll;
  /** A UUID in 16 bytes. Of version 7, its order is the order of acceptance; `acceptedUs` goes before it. */
  readonly id: Buffer;
  /**
   * When the ballot was accepted into a log, in microseconds since 1970 by the ledger's clock: it counts as cast at that moment, whenever it is
   * recorded. null where it counts at the moment of its recording.
   */
  readonly acceptedUs: number | null;
  /** 16 bytes that stand for the voter within this poll; who it is cannot be read from them. */
  readonly voterKey: Buffer;
  /** 16 bytes made of the idempotency key, or null: without a key there is nothing to recognise a retry by. */
  readonly retryKey: Buffer | null;
  /** Option numbers, ascending. None is a blank ballot. */
  readonly selections: readonly number[];
};

/** Milliseconds since 1970 by the ledger's clock. `recordedAt` is the time of the batch that recorded it. */
export function castAtOf({ acceptedUs }: Pick<Ballot, 'acceptedUs'>, recordedAt: number): number {
  return acceptedUs === null ? recordedAt : Math.floor(acceptedUs / 1_000);
}

export type SelectionsChecked = { readonly selections: readonly number[]; readonly violations: readonly Violation[] };

/** Turns option ids into option numbers, ascending, and names every rule that the selections break. */
export function checkSelections(poll: Poll, optionIds: readonly string[]): SelectionsChecked {
  const violations: Violation[] = [];
  const selections: number[] = [];
  for (const [index, id] of optionIds.entries()) {
    const optionNo = poll.optionNoById.get(id);
    if (optionNo === undefined) violations.push({ pointer: `/selections/${index}`, rule: 'option_unknown' });
    else if (selections.includes(optionNo))
      violations.push({ pointer: `/selections/${index}`, rule: 'option_repeated' });
    else selections.push(optionNo);
  }
  if (optionIds.length > poll.selectionsMax) violations.push({ pointer: '/selections', rule: 'overvote' });
  if (optionIds.length < poll.selectionsMin) violations.push({ pointer: '/selections', rule: 'undervote' });
  return { selections: selections.sort((a, b) => a - b), violations };
}

/** Selections as the ledger writes them: '3', '1,4', or '' for a blank ballot. */
export function toSelectionsText(selections: readonly number[]): string {
  return selections.length === 1 ? String(selections[0]) : selections.join(',');
}

export function parseSelectionsText(text: string): number[] {
  return text === '' ? [] : text.split(',').map(Number);
}
