/** Programs of ours whose output nobody reads any more: `npm start | head -3`, a terminal that was closed, a disk that is full. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { cleanUp, makeFolder, until } from '../../server/ledger/embedded/test-support.ts';
import { kill, mainFile, readBackendPids } from '../crash/program.ts';
import { createPoll, get } from '../support/http.ts';
import { createDatabase } from '../support/server.ts';

afterEach(cleanUp);

const runFile = path.resolve(import.meta.dirname, '../../scripts/run.mjs');
const toShellText = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** Runs `command` with the end of a shell line behind it, and keeps the status with which the command itself ended. */
async function startInShell(command: readonly string[], behind: string) {
  const folder = await makeFolder();
  const statusFile = path.join(folder, 'status');
  const line = `{ ${toShellText(command)}; echo $? > '${statusFile}'; } ${behind}`;
  const env = { ...process.env, DATABASE_URL: await createDatabase() };
  const shell = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'ignore', 'ignore'], env });
  const ended = once(shell, 'exit');
  return { shell, ended, readStatus: async () => Number(await readFile(statusFile, 'utf8')) };
}

/** The process that answers: the one of this program among those below the other; null where there is none. */
async function findServer(above: number): Promise<number | null> {
  for (const pid of await readBackendPids(above).catch(() => [])) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const found = command.startsWith(`${process.execPath}\0${mainFile}\0serve`) ? pid : await findServer(pid);
    if (found !== null) return found;
  }
  return null;
}

async function signalServer({ pid }: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const server = pid === undefined ? null : await findServer(pid);
  if (server !== null) kill(server, signal);
}

function failEarly(): never {
  throw new Error('It ended by itself.');
}

async function answersAt(url: string): Promise<boolean> {
  return (await get(`${url}/healthz`).catch(() => null))?.status === 200;
}

const programs: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['a server', [process.execPath, mainFile, 'serve']],
  ['npm start', [process.execPath, runFile, mainFile, 'serve']],
];
const gone: readonly (readonly [how: string, behind: string])[] = [
  ['its output is cut off', '| head -n 3'],
  ['nobody reads its output', '| true'],
  ['nobody reads its output and its log', '2>&1 | true'],
  ...(existsSync('/dev/full') ? [['the disk for both is full', '>/dev/full 2>&1'] as const] : []),
];

test.each(programs.flatMap(([name, words]) => gone.map(([how, behind]) => ({ name, how, words, behind }))))(
  '$name goes on while $how, and stops cleanly',
  async ({ words, behind }) => {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const flags = ['--port', String(port), '--preset', 'none', '--log-level', 'trace'];
    const { shell, ended, readStatus } = await startInShell([...words, ...flags], behind);
    onTestFinished(async () => {
      await signalServer(shell, 'SIGKILL');
      await ended;
    });
    await Promise.race([until(() => answersAt(url)), ended.then(failEarly)]);
    await createPoll(url);
    await signalServer(shell, 'SIGTERM');
    await ended;
    expect(await readStatus()).toBe(0);
  },
);

/** Runs a program in a terminal, closes that at the end of its own input, and ends as the program does. */
const terminalText = `import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
while sys.stdin not in select.select([sys.stdin, terminal], [], [])[0]: os.read(terminal, 65536)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test('a terminal that closes stops the server cleanly', async () => {
  const port = await findFreePort();
  const flags = ['--port', String(port), '--preset', 'none', '--log-level', 'trace'];
  const env = { ...process.env, DATABASE_URL: await createDatabase() };
  const args = ['-c', terminalText, process.execPath, mainFile, 'serve', ...flags];
  const terminal = spawn('python3', args, { stdio: ['pipe', 'ignore', 'inherit'], env });
  const ended = once(terminal, 'exit');
  onTestFinished(async () => {
    await signalServer(terminal, 'SIGKILL');
    await ended;
  });
  await Promise.race([until(() => answersAt(`http://127.0.0.1:${port}`)), ended.then(failEarly)]);
  terminal.stdin.end();
  expect(await ended).toEqual([0, null]);
});

test.each([[['help']], [['version']], [['doctor', '--port', '0']]])(
  '%s ends as it would where nobody reads what it says',
  async (words) => {
    const { ended, readStatus } = await startInShell([process.execPath, mainFile, ...words], '| true');
    await ended;
    expect(await readStatus()).toBe(0);
  },
);
