/** Draws votes over time with uPlot, in the colours of the page. */
import type { Language } from '../../protocol/pages.ts';
import type { Series } from '../../protocol/series.ts';

const heightPx = 180;
const lineWidthPx = 2;

/** Draws into the place and answers how to take the drawing away. */
export function drawChart(place: HTMLElement, series: Series, language: Language): () => void {
  let stopped = false;
  let end = (): void => undefined;
  void import('uplot').then(({ default: Chart }) => {
    if (stopped) return;
    const style = getComputedStyle(place);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const hours = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
      hour: '2-digit',
      minute: '2-digit',
      ...(series.stepSeconds < 60 ? { second: '2-digit' } : {}),
    });
    const axis = {
      stroke: color('--ink-2'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
      font: `12px ${color('--font')}`,
    };
    const chart = new Chart(
      {
        width: place.clientWidth,
        height: heightPx,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 90,
            values: (_chart, splits) => splits.map((at) => hours.format(at * 1_000)),
          },
          {
            ...axis,
            size: 44,
            space: 40,
            values: (_chart, splits) => splits.map((votes) => (Number.isInteger(votes) ? String(votes) : '')),
          },
        ],
        series: [
          {},
          {
            stroke: color('--accent'),
            fill: color('--tint'),
            width: lineWidthPx,
            points: { show: series.points.length < 2 },
          },
        ],
      },
      [series.points.map(({ at }) => Date.parse(at) / 1_000), series.points.map(({ votes }) => votes)],
      place,
    );
    const observer = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: heightPx }));
    observer.observe(place);
    end = () => {
      observer.disconnect();
      chart.destroy();
    };
  });
  return () => {
    stopped = true;
    end();
  };
}
