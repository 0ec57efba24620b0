/** What Prometheus would read, and whether it is as its conventions ask for. */
import { errors } from '../../server/errors.ts';
import { get } from './http.ts';

export type Series = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type ScrapedFamily = { readonly help: string; readonly type: string; readonly series: readonly Series[] };
export type Scrape = ReadonlyMap<string, ScrapedFamily>;

export async function scrape(port: number | null): Promise<Scrape> {
  const { status, headers, text } = await get(`http://127.0.0.1:${port}/metrics`);
  if (status !== 200) throw new Error(`No metrics: ${status} ${text}`);
  if (headers.get('content-type') !== 'text/plain; version=0.0.4; charset=utf-8') throw new Error('No exposition.');
  return parseExposition(text);
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/, as strict as it says: whatever is no line of it is an error. */
export function parseExposition(text: string): Scrape {
  const families = new Map<string, { help: string; type: string; series: Series[] }>();
  if (!text.endsWith('\n')) throw new Error('The last line must end.');
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword = '', name = '', rest = ''] = /^# (HELP|TYPE) ([a-z][a-z0-9_]*) (.+)$/u.exec(line) ?? [];
    if (keyword === 'HELP') families.set(name, { help: rest, type: '', series: [] });
    else if (keyword === 'TYPE') families.set(name, { help: '', series: [], ...families.get(name), type: rest });
    else {
      const series = parseSeries(line);
      [...families.values()].at(-1)?.series.push(series);
    }
  }
  return families;
}

function parseSeries(line: string): Series {
  const [, name, labels = '', value] = /^([a-z][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/u.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`No line of an exposition: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gu)];
  if (pairs.map(([whole]) => whole).join('') !== labels) throw new Error(`No labels: ${labels}`);
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
    value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
  };
}

/** The value of the one series with these labels; 0 where there is none. */
export function valueOf(scraped: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = [...scraped.values()]
    .flatMap(({ series }) => series)
    .filter(
      (each) => each.name === name && Object.entries(labels).every(([label, text]) => each.labels[label] === text),
    );
  return found.reduce((sum, { value }) => sum + value, 0);
}

/** Every series, without its value. */
export function seriesOf(scraped: Scrape): string[] {
  return [...scraped.values()].flatMap(({ series }) => series.map(toKey));
}

function toKey({ name, labels }: Series): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.toSorted().join(',')}}`;
}

const abbreviated = /(?:^|_)(?:ms|us|ns|s|sec|secs|kb|mb|gb|b|pct|num|cnt)(?:_|$)/u;
const otherUnits =
  /(?:^|_)(?:milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|gigabytes|percent)(?:_|$)/u;
const typeNames = /(?:^|_)(?:gauge|counter|histogram|summary|metric)(?:_|$)/u;

/** The rules of `promtool check metrics` and of https://prometheus.io/docs/practices/naming/, one sentence for each that is broken. */
export function checkConventions(scraped: Scrape): string[] {
  return [...scraped].flatMap(([name, family]) => [
    ...checkName(name, family),
    ...checkSeries(name, family),
    ...(family.type === 'histogram' ? checkBuckets(name, family) : []),
  ]);
}

function checkName(name: string, { help, type }: ScrapedFamily): string[] {
  const ours = name.startsWith('hustings_');
  const rules: readonly (readonly [broken: boolean, rule: string])[] = [
    [!ours && !/^(?:nodejs|process)_/u.test(name), 'begins with the name of the program'],
    [help.trim() === '', 'has a help text'],
    [ours && !/[.)]$/u.test(help), 'has a help text of whole sentences'],
    [!['counter', 'gauge', 'histogram', 'summary'].includes(type), 'has a type'],
    [type === 'counter' && !name.endsWith('_total'), 'ends with _total, because it is a counter'],
    [type !== 'counter' && name.endsWith('_total'), 'does not end with _total, because it is no counter'],
    [/_(?:count|sum|bucket)$/u.test(name), 'does not end like a part of a histogram'],
    [abbreviated.test(name) || otherUnits.test(name), 'has a base unit, written out'],
    [typeNames.test(name), 'does not name its type'],
    [ours && /duration|away|stale|lag_/u.test(name) && !name.endsWith('_seconds'), 'ends with _seconds'],
  ];
  return rules.flatMap(([broken, rule]) => (broken ? [`${name}: ${rule}`] : []));
}

function checkSeries(name: string, { type, series }: ScrapedFamily): string[] {
  const suffixes =
    type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : [''];
  const faults = series.flatMap((each) => [
    ...(suffixes.some((suffix) => each.name === name + suffix) ? [] : [`${each.name} is not of ${name}`]),
    ...(name.startsWith('hustings_') && Number.isNaN(each.value) ? [`${toKey(each)} is no number`] : []),
    ...Object.keys(each.labels).flatMap((label) =>
      /^[a-z][a-z0-9_]*$/u.test(label) && (label !== 'le' || type === 'histogram') ? [] : [`${name}: label ${label}`],
    ),
  ]);
  const keys = series.map(toKey);
  return new Set(keys).size === keys.length ? faults : [...faults, `${name} has a series twice`];
}

/** A bucket holds those below it, and the last one all. */
function checkBuckets(name: string, { series }: ScrapedFamily): string[] {
  const faults: string[] = [];
  const reached = new Map<string, { upTo: number; le: number }>();
  for (const { name: part, labels, value } of series) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    const before = reached.get(key) ?? { upTo: 0, le: Number.NEGATIVE_INFINITY };
    if (part === `${name}_count` && value !== before.upTo) faults.push(`${name}${key}: the last bucket holds all`);
    if (part !== `${name}_bucket`) continue;
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    if (!(bound > before.le) || value < before.upTo) faults.push(`${name}${key}: bucket ${le}`);
    reached.set(key, { upTo: value, le: bound });
  }
  return faults;
}

/** For each label of ours, whether a value is one of those that there can be. */
export type LabelBounds = Readonly<
  Record<string, (value: string, labels: Readonly<Record<string, string>>) => boolean>
>;

const oneOf =
  (...values: string[]) =>
  (value: string) =>
    values.includes(value);

export const labelBounds = {
  outcome: oneOf('counted', 'received', 'repeated', 'refused', 'failed'),
  code: (value) => value === '' || Object.hasOwn(errors, value),
  log: oneOf('direct', 'redis', 'rabbitmq', 'kafka'),
  transport: oneOf('websocket', 'events', 'socketio', 'long_poll'),
  state: oneOf('ready', 'unfit', 'away'),
  status: oneOf('1xx', '2xx', '3xx', '4xx', '5xx'),
  method: oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'),
  version: (value) => /^\d+\.\d+\.\d+/u.test(value),
  le: (value) => value === '+Inf' || Number.isFinite(Number(value)),
} satisfies LabelBounds;

/** Series of ours with a label that nothing bounds. */
export function findUnbounded(scraped: Scrape, bounds: LabelBounds): string[] {
  return [...scraped]
    .filter(([name]) => name.startsWith('hustings_'))
    .flatMap(([, { series }]) => series)
    .filter(({ labels }) => Object.entries(labels).some(([label, value]) => bounds[label]?.(value, labels) !== true))
    .map(toKey);
}
