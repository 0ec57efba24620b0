/** The files of deploy/grafana by themselves; test/brokers/metrics.test.ts asks running processes for what their queries want. */
import { expect, test } from 'vitest';
import { readAlerts, readPanels } from '../support/monitoring.ts';
import { parsePromql } from '../support/promql.ts';

test('an expression is read with every metric, matcher and grouping in it', () => {
  const text = `histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{job="x y", code!~"b|\\"c"}[5m])))
    / on (instance) group_left sum without (state) (b offset 5m) > bool 1e3 and c == 0`;
  expect(parsePromql(text)).toEqual({
    selectors: [
      {
        metric: 'a_bucket',
        matchers: [
          { label: 'job', operator: '=', value: 'x y' },
          { label: 'code', operator: '!~', value: String.raw`b|\"c` },
        ],
      },
      { metric: 'b', matchers: [] },
      { metric: 'c', matchers: [] },
    ],
    groupedBy: ['le', 'job', 'instance', 'state'],
  });
  expect(() => parsePromql('rate(a[5m]) ? 1')).toThrow('No PromQL from here on: ? 1');
});

test('every alert has a name of its own, says how bad it is, what has happened and what to do', () => {
  const alerts = readAlerts();
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { alert, for: duration = '0s', labels, annotations } of alerts) {
    expect(alert).toMatch(/^Hustings[A-Z][A-Za-z]+$/u);
    expect(duration, alert).toMatch(/^\d+[sm]$/u);
    expect(['critical', 'warning'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(20);
    expect(annotations.description, alert).toMatch(/\.$/u);
  }
});

test('every panel has a title of its own, and asks for the chosen job', () => {
  const panels = readPanels();
  const titles = panels.flatMap(({ title, type }) => (type === 'row' ? [] : [title]));
  expect(new Set(titles).size).toBe(titles.length);
  for (const { title, type, targets = [] } of panels) {
    expect(targets.length > 0, title).toBe(type !== 'row');
    for (const { metric, matchers } of targets.flatMap(({ expr }) => parsePromql(expr).selectors)) {
      expect(matchers, `${title}: ${metric}`).toContainEqual({ label: 'job', operator: '=', value: '$job' });
    }
  }
});
