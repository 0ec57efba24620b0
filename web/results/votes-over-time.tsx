/** Votes over time: a chart, what its peak is, and the same as a table. The chart's library is loaded when there is something to draw. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import type { Series } from '../../protocol/series.ts';
import { toClockText, useClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { fill, toNumberText } from '../texts/wording.ts';
import { drawChart } from './chart.ts';

const refreshMs = 4_000;
/** A table of thousands of rows helps nobody: the newest are shown. */
const tableRowsMax = 120;

type OverTimeProps = { readonly poll: Poll; readonly first: Series | null; readonly ballotId: string | null };

export function VotesOverTime({ poll, first, ballotId }: OverTimeProps) {
  const texts = useTexts('results');
  const { language } = useSetting();
  const series = useSeries(poll, first, ballotId);
  const place = useRef<HTMLDivElement>(null);
  const timeStyle = (series?.stepSeconds ?? 0) >= 3_600 ? 'moment' : 'time';
  const peakTime = useClockText(series?.peak?.at ?? null, timeStyle);
  useEffect(() => {
    if (series === null || place.current === null || series.points.length === 0) return undefined;
    return drawChart(place.current, series, language);
  }, [series, language]);
  if (series === null || series.points.length === 0) return null;
  const per = texts.per[`s${series.stepSeconds}`];
  const peak = fill(texts.peak, { per, votes: toNumberText(series.peak?.votes ?? 0, language), time: peakTime });
  return (
    <section class="card panel over-time" aria-labelledby="over-time">
      <div class="line">
        <h2 id="over-time">{texts.overTime}</h2>
        <span class="small muted num">{peak}</span>
      </div>
      <div class="chart" ref={place} role="img" aria-label={`${texts.overTime}: ${peak}`} />
      <details>
        <summary>{texts.asTable}</summary>
        <SeriesTable series={series} />
      </details>
    </section>
  );
}

function SeriesTable({ series }: { readonly series: Series }) {
  const texts = useTexts('results');
  const { language } = useSetting();
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{texts.time}</th>
          <th scope="col">{texts.votes}</th>
        </tr>
      </thead>
      <tbody>
        {series.points
          .slice(-tableRowsMax)
          .toReversed()
          .map(({ at, votes }) => (
            <tr key={at}>
              <th scope="row" class="num">
                {toClockText(at, language, series.stepSeconds >= 3_600 ? 'moment' : 'time')}
              </th>
              <td class="num">{toNumberText(votes, language)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

/** The series as it was when the page was made, and every few seconds a newer one while voting goes on and somebody looks. */
function useSeries(poll: Poll, first: Series | null, ballotId: string | null): Series | null {
  const [series, setSeries] = useState(first);
  const { id, status, visibility } = poll;
  useEffect(() => {
    let stopped = false;
    async function read(): Promise<void> {
      if (document.visibilityState !== 'visible') return;
      const query = ballotId === null ? '' : `?ballot=${ballotId}`;
      const response = await fetch(`/api/v1/polls/${id}/series${query}`).catch(() => null);
      if (response?.ok === true && !stopped) setSeries((await response.json()) as Series); // Made by our own server.
    }
    void read();
    const timer = status === 'open' ? setInterval(() => void read(), refreshMs) : undefined;
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [id, status, visibility, ballotId]);
  return series;
}
