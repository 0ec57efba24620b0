/** The port for those who look after the process: Prometheus, and probes that ask whether it lives and is ready. Voters do not reach it. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../lib/logger.ts';
import { toReadinessBody, type Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export type MetricsPort = { readonly port: number; close(): Promise<void> };

export type MetricsPortParts = {
  readonly metrics: Metrics;
  readonly health: Pick<Health, 'check'>;
  readonly log: Logger;
};

type Place = { readonly host: string; readonly port: number };

const requestMsMax = 5_000;
const connectionsMax = 64;

/** @throws {Error} where the port is taken */
export async function openMetricsPort(
  { metrics, health, log }: MetricsPortParts,
  { host, port }: Place,
): Promise<MetricsPort> {
  const answers: Readonly<Record<string, (response: ServerResponse) => Promise<void> | void>> = {
    async '/metrics'(response) {
      answer(response, 200, metrics.contentType, await metrics.read());
    },
    '/healthz': (response) => answerJson(response, 200, { status: 'alive' }),
    async '/readyz'(response) {
      const readiness = await health.check();
      answerJson(response, readiness.ready ? 200 : 503, toReadinessBody(readiness));
    },
  };

  async function serve(method: string, path: string, response: ServerResponse): Promise<void> {
    const give = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (give === undefined) return answerJson(response, 404, { paths: Object.keys(answers) });
    if (method !== 'GET' && method !== 'HEAD') return answerJson(response.setHeader('allow', 'GET, HEAD'), 405, {});
    try {
      await give(response);
    } catch (error) {
      log.error({ err: error, path }, 'metrics not read');
      answerJson(response, 500, {});
    }
  }

  const server = createServer({ headersTimeout: requestMsMax, requestTimeout: requestMsMax }, (request, response) => {
    void serve(request.method ?? '', (request.url ?? '').split('?', 1)[0] ?? '', response);
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => resolve(void server.off('error', reject)));
  });
  return {
    port: (server.address() as AddressInfo).port, // It listens on TCP.
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerJson(response: ServerResponse, status: number, body: object): void {
  answer(response, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  // Node itself leaves the body out where HEAD was asked for.
  response.end(body);
}
