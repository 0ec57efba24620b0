/**
 * Whether the server in this container lives: it answers on the port that its settings name. Ends with 0 or 1, as `HEALTHCHECK` wants it.
 * A server that is given its port by a flag, and not by a variable, is told here the same way: `healthcheck.ts --port 9000`.
 */
import { parseConfig } from '../server/config.ts';

const answerMsMax = 3_000;

const { port } = parseConfig({ argv: process.argv.slice(2), env: process.env });
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(answerMsMax) });
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`Nobody answers on port ${port}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
