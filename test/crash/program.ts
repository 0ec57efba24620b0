/** The server and its workers as programs of their own, started, killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Guard } from '../../scripts/services/guard.ts';

export type Program = {
  readonly child: ChildProcess;
  /** Ends with the process, however it ends. */
  readonly ended: Promise<unknown>;
};

export type ServerProgram = Program & { readonly url: string };

export type Launch = {
  /** A file of ours, and what follows it on the command line. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** It says so when it is ready. */
  readonly readyText: string;
  /** Ends it should this process be killed. */
  readonly guard?: Guard;
};

export const mainFile = path.resolve(import.meta.dirname, '../../server/hustings.mjs');
export const serverReadyText = 'Hustings is ready';
export const workerReadyText = 'The worker is ready';

/** Resolves when it is ready. It hears messages from here. */
export async function launch({ command, env, readyText, guard }: Launch): Promise<Program> {
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env,
    detached: guard !== undefined,
  });
  const { pid } = child;
  const ended = once(child, 'exit');
  if (pid !== undefined && guard !== undefined) {
    guard.watch(pid);
    void ended.then(() => guard.forget(pid));
  }
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes(readyText)) resolve();
    });
    void ended.then(() => reject(new Error(`${command.join(' ')} ended before it was ready: ${errors}`)));
  });
  return { child, ended };
}

/** A server with a database of its own in the folder. */
export async function startProgram(dataFolder: string, port: number): Promise<ServerProgram> {
  const command = [mainFile, 'serve', '--data', dataFolder, '--port', String(port), '--log-level', 'error'];
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  const program = await launch({ command, env, readyText: serverReadyText });
  return { ...program, url: `http://127.0.0.1:${port}` };
}

export async function readPostmasterPid(dataFolder: string): Promise<number> {
  const text = await readFile(path.join(dataFolder, 'postgres', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n', 1)[0]);
}

/** The processes that the postmaster started: those of connections, and its helpers. */
export async function readBackendPids(postmasterPid: number): Promise<number[]> {
  const text = await readFile(`/proc/${postmasterPid}/task/${postmasterPid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself meanwhile, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
