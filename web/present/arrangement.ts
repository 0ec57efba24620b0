/** Which options the projector shows, in what order, and how they are laid out. A screen has no scroll bar, so there is a limit. */
import { toShares } from '../../protocol/shares.ts';
import type { Option } from '../../protocol/poll.ts';
import type { Tally } from '../../protocol/tally.ts';
import { toBarRows, type BarRow } from '../parts/result-bars.tsx';

export type ScreenRow = BarRow & {
  /** Whole percents, which add up to 100 over all options. */
  readonly percent: number;
};

export type Arrangement = {
  readonly columns: 1 | 2;
  /** Rows in one column. */
  readonly rowsPerColumn: number;
  /** How many options are named; the others are summed up in one cell more. */
  readonly named: number;
};

const rowsPerColumnMax = 8;
const cellsMax = 2 * rowsPerColumnMax;

export function toArrangement(optionCount: number): Arrangement {
  if (optionCount <= rowsPerColumnMax) return { columns: 1, rowsPerColumn: optionCount, named: optionCount };
  const cells = Math.min(optionCount, cellsMax);
  return {
    columns: 2,
    rowsPerColumn: Math.ceil(cells / 2),
    named: optionCount > cellsMax ? cellsMax - 1 : optionCount,
  };
}

export type RowsShown = {
  readonly rows: readonly ScreenRow[];
  /** What the options that are not named have together. */
  readonly rest: { readonly options: number; readonly votes: number; readonly percent: number } | null;
};

/**
 * The rows for the screen. While voting goes on they keep the order of the ballot, so that nothing jumps; an outcome is sorted,
 * equals in ballot order. Where not all fit, those with the most votes are named.
 */
export function toRowsShown(
  options: readonly Option[],
  tally: Pick<Tally, 'counts'>,
  order: 'ballot' | 'votes',
): RowsShown {
  const inBallotOrder = toScreenRows(options, tally);
  const byVotes = inBallotOrder.toSorted((a, b) => b.votes - a.votes);
  const { named } = toArrangement(options.length);
  const others = byVotes.slice(named);
  const left = new Set(others.map(({ id }) => id));
  return {
    rows: order === 'votes' ? byVotes.slice(0, named) : inBallotOrder.filter(({ id }) => !left.has(id)),
    rest:
      others.length === 0
        ? null
        : { options: others.length, votes: sum(others, 'votes'), percent: sum(others, 'percent') },
  };
}

function toScreenRows(options: readonly Option[], tally: Pick<Tally, 'counts'>): ScreenRow[] {
  const rows = toBarRows(options, tally);
  const percents = toShares(
    rows.map(({ votes }) => votes),
    100,
  );
  return rows.map((row, index) => ({ ...row, percent: percents[index] ?? 0 }));
}

function sum(rows: readonly ScreenRow[], figure: 'votes' | 'percent'): number {
  return rows.reduce((total, row) => total + row[figure], 0);
}

export type TextSize = 'large' | 'medium' | 'small' | 'tiny';

/** The size of a text by its length: `limits` are the longest large, medium and small one. */
export function toTextSize(text: string, limits: readonly [large: number, medium: number, small: number]): TextSize {
  const { length } = Array.from(text);
  if (length <= limits[0]) return 'large';
  if (length <= limits[1]) return 'medium';
  return length <= limits[2] ? 'small' : 'tiny';
}
