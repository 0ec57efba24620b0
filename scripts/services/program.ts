/** A service that is a program of this machine, started by us, and which tests may kill and start again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { isCode } from './system-code.ts';

/** What tests can do with one service. Its address and its data stay the same however often it is started. */
export type RunningService = {
  /** The number of the process, a new one after each start. @throws {Error} while it does not run */
  pid(): number;
  /** `kill -9` of the process and its group. Resolves when they are gone. */
  kill(): Promise<void>;
  /** Starts it again on its data, after `kill`, and resolves when it answers. Ends it first if it runs. */
  restart(): Promise<void>;
  /** Asks it to end, insists after a while, and resolves when it is gone. Its folder stays. */
  stop(): Promise<void>;
};

export type Program = {
  /** As a person calls it: `Redis`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Besides PATH and the language, which are ours. Nothing else of our environment reaches the service. */
  readonly env?: Readonly<Record<string, string>>;
  /** It stands here, and what it says goes to a file `<name>.log`. */
  readonly folder: string;
  /** Whether it answers now. It may throw as long as it does not. */
  answers(): Promise<boolean>;
};

const readyMsMax = 90_000;
const stopMsMax = 20_000;
const goneMsMax = 5_000;
const checkMs = 25;
const logCharsMax = 2_000;

/** Resolves when it answers. @throws {Error} with the end of its log, if it ends or does not answer in time */
export async function startProgram(program: Program, guard: Guard): Promise<RunningService> {
  let child: ChildProcess | null = await launch(program, guard);
  /** Once a group is gone its number may belong to another program, and is not used again. */
  const kill = async (): Promise<void> => {
    if (child !== null) await killGroup(child);
    child = null;
  };
  return {
    pid() {
      if (child?.pid === undefined || hasEnded(child)) throw new Error(`${program.name} does not run.`);
      return child.pid;
    },
    kill,
    async restart() {
      await kill();
      child = await launch(program, guard);
    },
    async stop() {
      if (child !== null && !hasEnded(child)) {
        child.kill('SIGTERM');
        await Promise.race([once(child, 'exit'), pause(stopMsMax, undefined, { ref: false })]);
      }
      await kill();
    },
  };
}

/** Runs a program to its end, which must be a success. */
export async function runProgram(program: Omit<Program, 'answers'>, guard: Guard): Promise<void> {
  const child = spawnGuarded(program, guard);
  if (child.pid !== undefined && !hasEnded(child)) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${program.name} could not be made ready. ${logEnd(program)}`);
}

async function launch(program: Program, guard: Guard): Promise<ChildProcess> {
  const child = spawnGuarded(program, guard);
  try {
    await untilReady(program, child);
    return child;
  } catch (error) {
    await killGroup(child);
    throw error;
  }
}

function spawnGuarded(program: Omit<Program, 'answers'>, guard: Guard): ChildProcess {
  const log = openSync(logFileOf(program), 'a');
  const child = spawn(program.command, program.args, {
    cwd: program.folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...program.env },
    stdio: ['ignore', log, log],
    // A group of its own: Ctrl-C does not reach it, and all that it starts can be ended with it.
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  child.once('error', () => undefined);
  if (pid === undefined) return child;
  guard.watch(pid);
  child.once('exit', () => guard.forget(pid));
  return child;
}

async function untilReady(program: Program, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + readyMsMax;
  while (performance.now() < deadlineMs) {
    if (child.pid === undefined || hasEnded(child))
      throw new Error(`${program.name} did not start. ${logEnd(program)}`);
    if (await program.answers().catch(() => false)) return;
    await pause(checkMs);
  }
  throw new Error(`${program.name} did not answer within ${readyMsMax / 1000} s. ${logEnd(program)}`);
}

/** Waits for the whole group, because any process of it may still hold the port. */
async function killGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const deadlineMs = performance.now() + goneMsMax;
  while (signalGroup(child.pid) && performance.now() < deadlineMs) await pause(checkMs);
  if (!hasEnded(child)) await once(child, 'exit');
}

function signalGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false;
    throw error;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function logFileOf({ folder, name }: Pick<Program, 'folder' | 'name'>): string {
  return path.join(folder, `${name.toLowerCase()}.log`);
}

function logEnd(program: Omit<Program, 'answers'>): string {
  const text = readFileSync(logFileOf(program), 'utf8').trim();
  return text === '' ? `${program.command} said nothing.` : `Its log ends:\n${text.slice(-logCharsMax)}`;
}
