/** The server as a program of its own, started, killed and started again on one data folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export type Program = {
  readonly url: string;
  readonly child: ChildProcess;
  /** Ends with the process, however it ends. */
  readonly ended: Promise<unknown>;
};

const mainFile = path.resolve(import.meta.dirname, '../../server/main.ts');

/** Resolves when the server says that it is ready. */
export async function startProgram(dataFolder: string, port: number): Promise<Program> {
  const args = [mainFile, 'serve', '--data', dataFolder, '--port', String(port), '--log-level', 'error'];
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const ended = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Hustings is ready')) resolve();
    });
    void ended.then(() => reject(new Error(`The server ended before it was ready: ${errors}`)));
  });
  return { url: `http://127.0.0.1:${port}`, child, ended };
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
