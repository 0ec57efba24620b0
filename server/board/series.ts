/**
 * Votes over time as they are shown: read from the ledger at most once a second for each poll, and less often where reading takes long
 * (2026-11-21, 4 cores: 760 ms for the 1.7 million rows of a busy day), so that looking at a poll never slows voting in it much.
 */
import type { Series as SeriesView } from '../../protocol/series.ts';
import type { Poll } from '../poll/poll.ts';
import { fillGaps, findPeak, type Bucket, type StepSeconds } from '../tally/series.ts';

export type SeriesReader = {
  /** The series up to now, or up to the close; a second old at most, or ten times as old as its reading takes. */
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

const keptMsMin = 1_000;
/** A poll's series keeps the ledger busy for one part in so many. */
const restPerReading = 10;
const keptPollsMax = 1_000;

export function createSeriesReader({ readBuckets, now }: SeriesParts): SeriesReader {
  const kept = new Map<number, { until: number; readonly series: Promise<SeriesView> }>();

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
      if (known !== undefined && at < known.until) return known.series;
      const reading = { until: Number.POSITIVE_INFINITY, series: readNow(poll) };
      kept.delete(poll.pollNo);
      kept.set(poll.pollNo, reading);
      reading.series.then(
        () => {
          const tookMs = performance.now() - at;
          reading.until = at + Math.max(keptMsMin, tookMs * restPerReading);
        },
        // What could not be read is asked for again.
        () => kept.delete(poll.pollNo),
      );
      const [oldest] = kept.keys();
      if (kept.size > keptPollsMax && oldest !== undefined) kept.delete(oldest);
      return reading.series;
    },
  };
}

function toPoint({ second, votes }: Bucket): { at: string; votes: number } {
  return { at: new Date(second * 1_000).toISOString(), votes };
}
