/** Things measured in turn, A B A B …, because a shared machine drifts: only the ratio of neighbours says something. */
import { median } from './statistics.ts';

export type Slice = { readonly perSecond: number; readonly note?: string };

export type Figure = {
  readonly question: string;
  readonly what: string;
  readonly a: number;
  readonly b: number;
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly target: number | null;
  /** A ratio of times is better when it is small. */
  readonly smallIsGood?: boolean;
  readonly note: string;
};

export type FigurePlan = {
  readonly question: string;
  readonly what: string;
  readonly target: number | null;
  readonly smallIsGood?: boolean;
};

export type PairPlan = FigurePlan & {
  readonly pairs: number;
  readonly a: () => Promise<Slice>;
  readonly b: () => Promise<Slice>;
};

/** Each slice of A is divided by the slice of B just before it; the figure is the median of these ratios. */
export async function measurePairs(plan: PairPlan): Promise<Figure> {
  const a: number[] = [];
  const b: number[] = [];
  let note = '';
  for (let pair = 0; pair < plan.pairs; pair += 1) {
    b.push((await plan.b()).perSecond);
    const slice = await plan.a();
    a.push(slice.perSecond);
    note = slice.note ?? note;
  }
  return toFigure(plan, a, b, note);
}

/** Of two series of rates that were measured in the same rounds. */
export function toFigure(plan: FigurePlan, a: readonly number[], b: readonly number[], note: string): Figure {
  const ratios = a.map((value, index) => value / (b[index] ?? Number.NaN));
  const { question, what, target } = plan;
  return {
    question,
    what,
    target,
    a: median(a),
    b: median(b),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    note,
    smallIsGood: plan.smallIsGood ?? false,
  };
}
