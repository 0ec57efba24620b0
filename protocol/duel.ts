/** What the results page of the contract `duel` shows, in the words and figures that its server and its script share. */
import { toShares } from './shares.ts';

/** Votes of the two options. They travel as JSON in a text, as the contract has it. */
export type DuelScores = { readonly a: number; readonly b: number };

export type DuelSide = {
  readonly side: keyof DuelScores;
  readonly votes: string;
  /** As in `66.7%`. */
  readonly share: string;
  /** What is cut off from the end of the full bar, for `clip-path`. */
  readonly clip: string;
  readonly leads: boolean;
  /** The same in a word; empty where there is nothing to say. */
  readonly standing: 'Ahead' | 'Tie' | '';
};

/** Both options as the page shows them. Shares add up to 100 %, and are 0 % before the first vote. */
export function toDuelSides({ a, b }: DuelScores): DuelSide[] {
  const [shareOfA = 0, shareOfB = 0] = toShares([a, b]);
  return [toSide('a', a, shareOfA, b), toSide('b', b, shareOfB, a)];
}

function toSide(side: keyof DuelScores, votes: number, share: number, others: number): DuelSide {
  const leads = votes > 0 && votes >= others;
  return {
    side,
    votes: votes === 1 ? '1 vote' : `${votes} votes`,
    share: toShareText(share),
    clip: `inset(0 ${(1_000 - share) / 10}% 0 0 round 8px)`,
    leads,
    standing: !leads ? '' : votes === others ? 'Tie' : 'Ahead',
  };
}

/** `tenths` of a percent. */
function toShareText(tenths: number): string {
  return `${(tenths / 10).toFixed(1)}%`;
}

export function toTotalText({ a, b }: DuelScores): string {
  const total = a + b;
  if (total === 0) return 'No votes yet';
  return total === 1 ? '1 vote' : `${total} votes`;
}

/** What a screen reader says of the state of the duel. */
export function toSummaryText(scores: DuelScores, names: Readonly<Record<keyof DuelScores, string>>): string {
  const sides = toDuelSides(scores).map(({ side, share }) => `${names[side]} ${share}`);
  return `${toTotalText(scores)}. ${sides.join(', ')}.`;
}
