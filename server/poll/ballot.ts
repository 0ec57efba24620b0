/** A ballot on its way into the ledger, and the rules for the selections on it. */
import type { Poll } from './poll.ts';
import type { Violation } from './check-poll.ts';

export type Ballot = {
  readonly poll: Poll;
  /** UUID version 7 in 16 bytes. Its order is the order of acceptance. */
  readonly id: Buffer;
  /** 16 bytes that stand for the voter within this poll; who it is cannot be read from them. */
  readonly voterKey: Buffer;
  /** 16 bytes made of the idempotency key, or null: without a key there is nothing to recognise a retry by. */
  readonly retryKey: Buffer | null;
  /** Option numbers, ascending. None is a blank ballot. */
  readonly selections: readonly number[];
};

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
