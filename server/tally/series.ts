/** Votes over time: how wide a point is, and the points between those in which votes came. */

export type StepSeconds = 1 | 10 | 60 | 3600 | 86_400;
export type Bucket = { readonly second: number; readonly votes: number };

export const pointsMax = 3_000;

/** The longest spans, in seconds, that a step serves well on a screen, or for which it has points enough. */
const spans: readonly (readonly [step: StepSeconds, spanSecondsMax: number])[] = [
  [1, 5 * 60],
  [10, 60 * 60],
  [60, 2 * 24 * 60 * 60],
  // A span of n steps touches up to n + 2 of them.
  [3600, (pointsMax - 2) * 3600],
];

export function toStepSeconds(spanSeconds: number): StepSeconds {
  return spans.find(([, spanSecondsMax]) => spanSeconds <= spanSecondsMax)?.[0] ?? 86_400;
}

/**
 * One point for each step from the first bucket to `untilSecond`, with 0 where nobody voted. Of more than `pointsMax` the newest.
 * Buckets are sorted and begin on whole steps.
 */
export function fillGaps(buckets: readonly Bucket[], stepSeconds: StepSeconds, untilSecond: number): Bucket[] {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) return [];
  const votesBySecond = new Map(buckets.map(({ second, votes }) => [second, votes]));
  const end = Math.max(last.second, Math.floor(untilSecond / stepSeconds) * stepSeconds);
  const begin = Math.max(first.second, end - (pointsMax - 1) * stepSeconds);
  const points: Bucket[] = [];
  for (let second = begin; second <= end; second += stepSeconds) {
    points.push({ second, votes: votesBySecond.get(second) ?? 0 });
  }
  return points;
}

/** The point with the most votes, the first of equal ones; null where nobody voted. */
export function findPeak(buckets: readonly Bucket[]): Bucket | null {
  return buckets.reduce<Bucket | null>((peak, bucket) => (bucket.votes > (peak?.votes ?? 0) ? bucket : peak), null);
}
