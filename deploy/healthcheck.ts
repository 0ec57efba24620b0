/**
 * Whether the process in this container lives: it answers on the port that its settings name. Ends with 0 or 1, as `HEALTHCHECK` wants it.
 * It takes the words that the container was started with, so far as they are not variables: `healthcheck.ts --port 9000`, `healthcheck.ts worker`.
 * Of a worker it asks the port of the metrics, because that has no other.
 */
import { parseCommandLine } from '../server/command-line.ts';

const answerMsMax = 3_000;

const invocation = parseCommandLine({ argv: process.argv.slice(2), env: process.env });
if (!('config' in invocation)) throw new Error('This command does not run for long.');
const { port: publicPort, metricsPort } = invocation.config;
const port = invocation.command === 'worker' ? metricsPort : publicPort;
try {
  if (port === undefined) throw new Error('A worker is asked on the port that HUSTINGS_METRICS_PORT names.');
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(answerMsMax) });
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`Nobody answers on port ${port}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
