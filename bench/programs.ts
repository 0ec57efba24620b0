/** Child processes of the bench: started until they are ready, ended by their id, whatever happens. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import type { BareOrder, BareResult } from './bare-client-process.ts';
import type { LoadOrder, LoadResult } from './load-process.ts';

export type Program = {
  readonly child: ChildProcess;
  readonly port: number;
  readonly readyMs: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
};

const root = path.resolve(import.meta.dirname, '..');
const running = new Set<ChildProcess>();
const run = promisify(execFile);
/** A client that uses more of its core than this may be the bottleneck itself. */
export const clientCpuMax = 0.97;

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a file of ours and waits until what it prints matches; the first group of the pattern is its port. `variables` are all that it
 * hears of databases and brokers. It can be sent messages.
 */
export async function startProgram(
  file: string,
  args: readonly string[],
  ready: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const startedAt = performance.now();
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  const child = spawn(process.execPath, [path.join(root, file), ...args], {
    env: { ...env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  let text = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = ready.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    void ended.then(() => reject(new Error(`${file} ended before it was ready: ${text}`)));
  });
  return {
    child,
    port,
    readyMs: performance.now() - startedAt,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

export function startServer(dataFolder: string, ...flags: string[]): Promise<Program> {
  const args = ['serve', '--data', dataFolder, '--port', '0', '--log-level', 'error', ...flags];
  return startProgram('server/hustings.mjs', args, /Open\s+http:\/\/localhost:(\d+)/u);
}

export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const { stdout } = await run(process.execPath, [path.join(root, 'bench/load-process.ts'), JSON.stringify(order)], {
    maxBuffer: 1024 ** 3,
  });
  return JSON.parse(stdout) as LoadResult; // Our own child wrote it.
}

export async function runBareClient(order: BareOrder): Promise<BareResult> {
  const { stdout } = await run(process.execPath, [
    path.join(root, 'bench/bare-client-process.ts'),
    JSON.stringify(order),
  ]);
  return JSON.parse(stdout) as BareResult; // Our own child wrote it.
}
