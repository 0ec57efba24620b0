/** Which rows a results page shows, in which order, and what it says about them. */
import type { Poll } from '../../protocol/poll.ts';
import type { BarRow } from '../parts/result-bars.tsx';

/** So many rows are shown at once; the others wait behind "+12 more". */
export const rowsShownMax = 10;
/** Where only one or two would be left out, none is. */
const spareRows = 2;

export type Shown = { readonly first: readonly BarRow[]; readonly others: readonly BarRow[] };

/** Ballot order while people vote, so that nothing jumps; sorted once when it is over. The rows with the most votes come first in either case. */
export function toShownRows(rows: readonly BarRow[], status: Poll['status']): Shown {
  const sorted = rows.toSorted((a, b) => b.votes - a.votes);
  const isOver = status === 'closed';
  const ordered = isOver ? sorted : rows;
  if (rows.length <= rowsShownMax + spareRows) return { first: ordered, others: [] };
  const leading = new Set(sorted.slice(0, rowsShownMax).map(({ id }) => id));
  return {
    first: ordered.filter(({ id }) => leading.has(id)),
    others: ordered.filter(({ id }) => !leading.has(id)),
  };
}

/** Those with the most votes: one is the winner, several are a tie, none where nobody voted. */
export function toWinners(rows: readonly BarRow[]): readonly BarRow[] {
  return rows.filter(({ leads }) => leads);
}
