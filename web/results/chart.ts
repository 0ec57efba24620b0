/** Draws votes over time with uPlot, in the colours of the page. */
import type { Language } from '../../protocol/pages.ts';
import type { Series } from '../../protocol/series.ts';

const heightPx = 180;
const lineWidthPx = 2;
/** Room for half of the last time beneath the chart. */
const sidePx = 34;
/** So many steps at least are shown, so that the first votes are no wall from edge to edge. */
const stepsMin = 30;
/** What may lie between two times beneath the chart. Seconds. */
const timeStepsSeconds = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800];

/** Draws into the place, anew when the theme changes, and answers how to take the drawing away. */
export function drawChart(place: HTMLElement, series: Series, language: Language): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let end = drawOnce(place, series, language);
  const redraw = (): void => {
    end();
    end = drawOnce(place, series, language);
  };
  dark.addEventListener('change', redraw);
  return () => {
    dark.removeEventListener('change', redraw);
    end();
  };
}

function drawOnce(place: HTMLElement, series: Series, language: Language): () => void {
  let stopped = false;
  let end = (): void => undefined;
  void import('uplot').then(({ default: Chart }) => {
    if (stopped) return;
    const spanSeconds = stepsMin * series.stepSeconds;
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
        padding: [null, sidePx, null, null],
        scales: {
          x: { range: (_chart, min, max) => [Math.min(min, max - spanSeconds), max] },
          y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 90,
            incrs: timeStepsSeconds.filter((seconds) => seconds >= series.stepSeconds),
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
            points: { show: false },
          },
        ],
      },
      toData(series),
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

/** Times in seconds, and votes. Before the first votes there were none, which makes a line of a single point. */
function toData({ points, stepSeconds }: Series): [times: number[], votes: number[]] {
  const times = points.map(({ at }) => Date.parse(at) / 1_000);
  const votes = points.map((point) => point.votes);
  const [first = 0] = times;
  return times.length === 1
    ? [
        [first - stepSeconds, first],
        [0, ...votes],
      ]
    : [times, votes];
}
