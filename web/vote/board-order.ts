/** The orders in which a feature board can be read. */
import type { Tally } from '../../protocol/tally.ts';

export const boardOrders = ['ballot', 'top', 'new', 'trending'] as const;
export type BoardOrder = (typeof boardOrders)[number];

/** Option ids in this order. Equal ones stand in ballot order; without a tally the ballot's order is all there is to go by. */
export function sortBoard(
  optionIds: readonly string[],
  tally: Pick<Tally, 'counts'> | null,
  order: BoardOrder,
): string[] {
  if (order === 'new') return optionIds.toReversed();
  if (order === 'ballot' || tally === null) return [...optionIds];
  const figures = new Map(
    tally.counts.map(({ optionId, votes, lastTenMinutes }) => [optionId, order === 'top' ? votes : lastTenMinutes]),
  );
  return optionIds.toSorted((a, b) => (figures.get(b) ?? 0) - (figures.get(a) ?? 0));
}
