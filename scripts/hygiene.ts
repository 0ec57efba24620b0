/** The programs that read the whole tree and say what is wrong with it. They run side by side. */
import { spawn } from 'node:child_process';

export type Check = { readonly name: string; readonly command: readonly [program: string, ...args: string[]] };
export type CheckResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
};

/** Looks again only at what a change may reach: 3.5 s became 0.9 s (2026-11-21). */
const incremental = (file: string): string[] => ['--incremental', '--tsBuildInfoFile', `.cache/${file}.tsbuildinfo`];

export const hygieneChecks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', ...incremental('server')] },
  { name: 'types of the pages', command: ['tsc', '--noEmit', '-p', 'web', ...incremental('web')] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'unused', command: ['knip'] },
  { name: 'documents', command: ['node', 'scripts/docs.ts', '--check'] },
];

export const unitTests: Check = { name: 'unit tests', command: ['vitest', 'run', '--project', 'unit'] };

/** Runs the checks at the same time and tells of each as it ends; the output of a check is shown only when it failed. */
export function runChecks(checks: readonly Check[]): Promise<CheckResult[]> {
  return Promise.all(
    checks.map(async (check) => {
      const result = await runCheck(check);
      console.log(`${result.passed ? 'ok    ' : 'FAILED'} ${result.name} (${result.seconds.toFixed(1)} s)`);
      if (!result.passed) console.log(result.output);
      return result;
    }),
  );
}

function runCheck({ name, command: [program, ...args] }: Check): Promise<CheckResult> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const end = (passed: boolean): void =>
      resolve({ name, passed, seconds: (performance.now() - startedMs) / 1000, output });
    child.once('error', (error) => {
      output += String(error);
      end(false);
    });
    child.once('close', (code) => end(code === 0));
  });
}
