/** The dashboard and the alert rules of deploy/grafana, and whether their queries ask for what there is. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { labelBounds, type LabelBounds, type Scrape } from './metrics.ts';
import { parsePromql, type Selector } from './promql.ts';

export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
};

export type Panel = {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
};

const folder = path.resolve(import.meta.dirname, '../../deploy/grafana');

export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(path.join(folder, 'alerts.yaml'), 'utf8')) as {
    groups: readonly { rules: readonly Alert[] }[];
  }; // Our own file.
  return groups.flatMap(({ rules }) => rules);
}

export function readPanels(): readonly Panel[] {
  const { panels } = JSON.parse(readFileSync(path.join(folder, 'dashboard.json'), 'utf8')) as {
    panels: readonly Panel[];
  }; // Our own file.
  return panels;
}

/** Labels that Prometheus sets itself, and its own metric. */
const targetLabels = ['job', 'instance'];
const prometheusMetrics = ['up'];
const bounds: LabelBounds = labelBounds;

/** Everything that a query or a legend asks for and no process tells, one sentence each. */
export function findFaults(scraped: Scrape, expression: string, legend = ''): string[] {
  const { selectors, groupedBy } = parsePromql(expression);
  const shown = [...legend.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/gu)].map(([, label = '']) => label);
  const there = new Set(targetLabels);
  for (const { metric } of selectors) for (const label of labelsOf(scraped, metric) ?? []) there.add(label);
  return [
    ...(selectors.length === 0 ? ['It asks for nothing.'] : []),
    ...selectors.flatMap((selector) => findFaultsOf(scraped, selector)),
    ...[...groupedBy, ...shown].flatMap((label) => (there.has(label) ? [] : [`There is no label ${label}.`])),
  ];
}

function findFaultsOf(scraped: Scrape, { metric, matchers }: Selector): string[] {
  if (prometheusMetrics.includes(metric)) return [];
  const labels = labelsOf(scraped, metric);
  if (labels === null) return [`There is no metric ${metric}.`];
  return matchers.flatMap(({ label, operator, value }) => {
    if (targetLabels.includes(label)) return [];
    if (!labels.has(label)) return [`${metric} has no label ${label}.`];
    const values = operator.endsWith('~') ? value.split('|') : [value];
    return values.flatMap((each) => (bounds[label]?.(each, {}) === true ? [] : [`${label} is never ${each}.`]));
  });
}

/** The labels of a series with this name; null where there is none. */
function labelsOf(scraped: Scrape, metric: string): Set<string> | null {
  const series = [...scraped.values()].flatMap((family) => family.series).filter(({ name }) => name === metric);
  return series.length === 0 ? null : new Set(series.flatMap(({ labels }) => Object.keys(labels)));
}
