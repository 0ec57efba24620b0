/** Votes over time as they are shown: read from the ledger at most once a second for each poll. */
import type { Series as SeriesView } from '../../protocol/series.ts';
import type { Poll } from '../poll/poll.ts';
import { fillGaps, findPeak, type Bucket, type StepSeconds } from '../tally/series.ts';

export type SeriesReader = {
  /** The series up to now, or up to the close. A second old at most. */
  read(poll: Poll): Promise<SeriesView>;
};

type SeriesParts = {
  readonly readBuckets: (
    pollNo: number,
    untilSecond: number,
  ) => Promise<{ readonly stepSeconds: StepSeconds; readonly buckets: readonly Bucket[] }>;
  /** The ledger's clock in milliseconds. */
  readonly now: () => number;
};

const keptMs = 1_000;
const keptPollsMax = 1_000;

export function createSeriesReader({ readBuckets, now }: SeriesParts): SeriesReader {
  const kept = new Map<number, { readonly at: number; readonly series: Promise<SeriesView> }>();

  async function readNow(poll: Poll): Promise<SeriesView> {
    const untilSecond = Math.floor(Math.min(now(), poll.closesAt ?? Number.POSITIVE_INFINITY) / 1_000);
    const { stepSeconds, buckets } = await readBuckets(poll.pollNo, untilSecond);
    const points = fillGaps(buckets, stepSeconds, untilSecond);
    const peak = findPeak(points);
    return { pollId: poll.id, stepSeconds, points: points.map(toPoint), peak: peak === null ? null : toPoint(peak) };
  }

  return {
    read(poll) {
      const at = performance.now();
      const known = kept.get(poll.pollNo);
      if (known !== undefined && at - known.at < keptMs) return known.series;
      const series = readNow(poll);
      kept.delete(poll.pollNo);
      kept.set(poll.pollNo, { at, series });
      // What could not be read is asked for again.
      series.catch(() => kept.delete(poll.pollNo));
      const [oldest] = kept.keys();
      if (kept.size > keptPollsMax && oldest !== undefined) kept.delete(oldest);
      return series;
    },
  };
}

function toPoint({ second, votes }: Bucket): { at: string; votes: number } {
  return { at: new Date(second * 1_000).toISOString(), votes };
}
