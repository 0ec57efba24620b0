import { expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { toBanner } from './banner.ts';

const facts = { port: 8000, resultsPort: null, sample: null };
const bannerOf = (metricsPort: number | null, ...argv: string[]): string =>
  toBanner(parseConfig({ argv, env: {} }), { ...facts, metricsPort });

test('where metrics are on, their address stands beside the others', () => {
  expect(bannerOf(null)).not.toContain('Metrics');
  expect(bannerOf(9464, '--metrics-port', '9464')).toContain('  Metrics      http://localhost:9464/metrics\n');
  // Port 0 lets the system choose.
  expect(bannerOf(41_000, '--metrics-port', '0')).toContain('http://localhost:41000/metrics');
});

test('it is that of the port for metrics, not that of voters', () => {
  const argv = ['--metrics-port', '9464', '--public-url', 'https://vote.example.org', '--metrics-host', '10.0.0.7'];
  expect(bannerOf(9464, ...argv)).toContain('http://10.0.0.7:9464/metrics');
});

test('several processes have a port each', () => {
  expect(bannerOf(9464, '--metrics-port', '9464', '--processes', '3')).toContain(
    'http://localhost:9464/metrics, and the 2 ports after it',
  );
});
