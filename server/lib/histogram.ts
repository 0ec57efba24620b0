/** A histogram of plain numbers: noting a value allocates nothing. Whoever shows it adds up the buckets. */

export type Histogram = {
  /** The upper bounds of the buckets, growing. What is above the last is in `count` alone. */
  readonly bounds: readonly number[];
  note(value: number): void;
  read(): HistogramState;
};

export type HistogramState = {
  readonly bounds: readonly number[];
  /** How many values were at or below each bound. */
  readonly countsUpTo: readonly number[];
  readonly count: number;
  readonly sum: number;
};

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Float64Array(bounds.length);
  let count = 0;
  let sum = 0;
  return {
    bounds,
    note(value) {
      count += 1;
      sum += value;
      for (let index = 0; index < bounds.length; index += 1) {
        if (value <= (bounds[index] ?? 0)) {
          counts[index] = (counts[index] ?? 0) + 1;
          return;
        }
      }
    },
    read() {
      let upTo = 0;
      const countsUpTo = Array.from(counts, (each) => (upTo += each));
      return { bounds, countsUpTo, count, sum };
    },
  };
}
