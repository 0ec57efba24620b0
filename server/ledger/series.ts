/** Votes over time as the ledger holds them: by the second in which they were cast, of every slot. */
import { toStepSeconds, type Bucket, type StepSeconds } from '../tally/series.ts';
import type { Pool } from './postgres.ts';

export type StoredSeries = { readonly stepSeconds: StepSeconds; readonly buckets: readonly Bucket[] };

export type SeriesStore = {
  /** The buckets in which votes came, oldest first; `until` ends the span that decides how wide they are. Seconds since 1970. */
  read(pollNo: number, untilSecond: number): Promise<StoredSeries>;
};

export function createSeriesStore(pool: Pool): SeriesStore {
  return {
    async read(pollNo, untilSecond) {
      const { rows: spans } = await pool.query<{ first: number | null; last: number | null }>(
        `select extract(epoch from min(second))::bigint as first, extract(epoch from max(second))::bigint as last
        from tally_seconds
        where poll_no = $1`,
        [pollNo],
      );
      const { first = null, last = null } = spans[0] ?? {};
      if (first === null) return { stepSeconds: 1, buckets: [] };
      const stepSeconds = toStepSeconds(Math.max(untilSecond, last ?? first) - first);
      const { rows } = await pool.query<Bucket>(
        `select extract(epoch from second)::bigint / $2 * $2 as second, sum(votes)::bigint as votes
        from tally_seconds
        where poll_no = $1
        group by 1
        order by 1`,
        [pollNo, stepSeconds],
      );
      return { stepSeconds, buckets: rows };
    },
  };
}
