/** From the plain numbers of this process to metrics of prom-client, which are read when somebody asks and not before. */
import type { Metric, Registry } from 'prom-client';
import type { HistogramState } from '../lib/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** One number, with a name of its own where it is a part of a histogram. */
export type Sample = { readonly labels: Labels; readonly value: number; readonly metricName?: string };

export type Family = {
  readonly name: string;
  /** One sentence, for whoever meets the name on a dashboard. */
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Answers nothing where it cannot be known now: an old number would look like a new one. Never rejects. */
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>;
};

export function registerFamily(registry: Registry, { name, help, type, read }: Family): void {
  const metric = { name, help, type, get: async () => ({ name, help, type, values: await read() }) };
  // What a registry asks of a metric. Its own classes keep numbers of their own, which would have to be copied on each ballot.
  registry.registerMetric(metric as unknown as Metric); // Of the same shape, as far as the registry looks.
}

export function toSample(value: number, labels: Labels = {}): Sample {
  return { labels, value };
}

/** How Prometheus wants a histogram: a running sum for each bound, and that of all. */
export function toHistogramSamples(
  name: string,
  { bounds, countsUpTo, count, sum }: HistogramState,
  labels: Labels = {},
): Sample[] {
  const buckets = bounds.map((bound, index) => ({ le: String(bound), value: countsUpTo[index] ?? 0 }));
  return [
    ...[...buckets, { le: '+Inf', value: count }].map(({ le, value }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
