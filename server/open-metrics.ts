/** The port for Prometheus and probes, where the settings name one. */
import type { Config } from './config.ts';
import type { SegmentLog } from './ingest-log/segment-log.ts';
import { readVersion } from './lib/version.ts';
import type { Ledger } from './open-ledger.ts';
import type { Health } from './ops/health.ts';
import type { MetricsSources } from './ops/metrics.ts';
import type { MetricsPort } from './ops/metrics-port.ts';

export type MetricsHouse = Pick<MetricsSources, 'meters' | 'recorderAwayMs' | 'boardStaleMs' | 'worker' | 'log'> & {
  readonly ledger: Pick<Ledger, 'pool'>;
  /** null without a broker. */
  readonly segments: Pick<SegmentLog, 'measure' | 'dead'> | null;
  readonly logAwayMs: () => number;
  readonly server: MetricsSources['server'];
  readonly health: Health;
};

/** null where metrics are off. Nothing of them is loaded then. */
export async function openMetrics(
  { metricsHost, metricsPort }: Pick<Config, 'metricsHost' | 'metricsPort'>,
  { ledger, segments, logAwayMs, health, log, ...sources }: MetricsHouse,
): Promise<MetricsPort | null> {
  if (metricsPort === undefined) return null;
  const { createMetrics } = await import('./ops/metrics.ts');
  const { openMetricsPort } = await import('./ops/metrics-port.ts');
  const broker =
    segments === null ? null : { awayMs: logAwayMs, measure: segments.measure, countDead: segments.dead.count };
  const metrics = createMetrics({ ...sources, log, version: readVersion(), pool: ledger.pool, broker });
  return openMetricsPort({ metrics, health, log }, { host: metricsHost, port: metricsPort });
}
