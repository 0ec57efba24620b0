/** How long a start takes until the first answer (V16), beside the start of Node itself. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Question } from './question.ts';
import { measurePairs, type Slice } from './pairs.ts';
import { startServer, type Program } from './programs.ts';

const run = promisify(execFile);

export const start: Question = async ({ pairs }) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  try {
    const first = await startServer(dataFolder);
    const firstMs = first.readyMs;
    await first.stop();
    const embedded = await measurePairs({
      question: 'start',
      what: `ms to a second start with the embedded database ÷ node -e 0 (the first took ${firstMs.toFixed(0)} ms)`,
      target: null,
      smallIsGood: true,
      pairs,
      a: async () => timeStart(() => startServer(dataFolder), 'SIGTERM'),
      b: timeNode,
    });
    // Killed, the server leaves its database running: the next start finds it up.
    await (await startServer(dataFolder)).stop('SIGKILL');
    const up = await measurePairs({
      question: 'V16',
      what: 'ms to the first 200 with the database up ÷ node -e 0',
      target: 4,
      smallIsGood: true,
      pairs,
      a: async () => timeStart(() => startServer(dataFolder), 'SIGKILL'),
      b: timeNode,
    });
    await (await startServer(dataFolder)).stop();
    return [embedded, up];
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
};

/** Milliseconds, in the place of a rate: the pair's ratio is one of times. */
async function timeStart(begin: () => Promise<Program>, end: NodeJS.Signals): Promise<Slice> {
  const startedAt = performance.now();
  const server = await begin();
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`);
  const ms = performance.now() - startedAt;
  await server.stop(end);
  if (response.status !== 200) throw new Error(`The server answered ${response.status}.`);
  return { perSecond: ms };
}

async function timeNode(): Promise<Slice> {
  const startedAt = performance.now();
  await run(process.execPath, ['-e', '0']);
  return { perSecond: performance.now() - startedAt };
}
