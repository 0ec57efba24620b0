/** Figures over samples. */

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[index] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/**
 * A histogram of durations whose buckets grow by 1/32 of their size: at most 3 % off, whatever the span.
 * The shape is HdrHistogram's (Gil Tene), with microseconds as its unit.
 */
export type Histogram = {
  add(ms: number): void;
  /** Milliseconds below or at which this share of the durations lies. */
  quantile(share: number): number;
  count(): number;
  max(): number;
};

const subBuckets = 32;

export function createHistogram(): Histogram {
  const buckets: number[] = [];
  let count = 0;
  let maxMs = 0;
  return {
    add(ms) {
      const index = bucketOf(ms * 1_000);
      buckets[index] = (buckets[index] ?? 0) + 1;
      count += 1;
      maxMs = Math.max(maxMs, ms);
    },
    quantile(share) {
      let left = Math.ceil(share * count);
      for (const [index, each] of buckets.entries()) {
        left -= each ?? 0;
        if (left <= 0) return Math.min(upperEdgeOf(index) / 1_000, maxMs);
      }
      return maxMs;
    },
    count: () => count,
    max: () => maxMs,
  };
}

function bucketOf(us: number): number {
  if (us < subBuckets) return Math.max(0, Math.floor(us));
  const octave = Math.floor(Math.log2(us / subBuckets));
  return subBuckets * (octave + 1) + Math.floor(us / 2 ** octave) - subBuckets;
}

function upperEdgeOf(index: number): number {
  if (index < subBuckets) return index + 1;
  const octave = Math.floor(index / subBuckets) - 1;
  return (subBuckets + (index % subBuckets) + 1) * 2 ** octave;
}
