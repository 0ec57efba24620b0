/** The program as people run it, until it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { mainFile } from '../crash/program.ts';

export type CommandEnd = { readonly status: unknown; readonly output: string; readonly errors: string };

/** Of the environment of the tests it has `PATH` alone. */
export async function runCommand(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandEnd> {
  const program = spawn(process.execPath, [mainFile, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  let [output, errors] = ['', ''];
  program.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  program.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [status]: unknown[] = await once(program, 'close');
  return { status, output, errors };
}
