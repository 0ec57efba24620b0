/**
 * Shares of votes that add up to the whole.
 *
 * Hamilton's method of the largest remainder: every share is rounded down to the unit, and the units that are missing
 * go to the largest remainders, the first in ballot order where two are equal. Without it three equal parts would show 33.3 % thrice.
 */

/** How many parts one percent has: shares are whole tenths of a percent unless asked otherwise. */
export const tenthsOfPercent = 1_000;

/**
 * The share of each count in units of 1/`whole` (1,000: tenths of a percent; 100: percent). Their sum is `whole`, or 0 where nobody voted.
 * Counts are whole numbers from 0.
 */
export function toShares(counts: readonly number[], whole: number = tenthsOfPercent): number[] {
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum === 0) return counts.map(() => 0);
  const shares = counts.map((count) => Math.floor((count * whole) / sum));
  const missing = whole - shares.reduce((total, share) => total + share, 0);
  const remainders = counts.map((count, index) => ({ index, remainder: (count * whole) % sum }));
  remainders.sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of remainders.slice(0, missing)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}
