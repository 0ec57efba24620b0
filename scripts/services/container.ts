/** A service in a container, where this machine has no program for it but Docker. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Guard } from './guard.ts';
import type { RunningService } from './program.ts';

const run = promisify(execFile);

export type Container = {
  readonly image: string;
  /** Options of `docker run`, before the image. */
  readonly options: readonly string[];
  /** What runs in it, if not what the image says. */
  readonly command?: readonly string[];
  answers(): Promise<boolean>;
};

export type ContainedService = RunningService & {
  /** Runs a command inside and answers what it said. */
  execute(...command: readonly string[]): Promise<string>;
};

/** The image may have to be fetched first. */
const readyMsMax = 300_000;
const checkMs = 100;
const engineMsMax = 10_000;

export async function hasContainerEngine(): Promise<boolean> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: engineMsMax });
    return true;
  } catch {
    // No command, no engine, or one that this user may not use: none of them helps.
    return false;
  }
}

export async function startContainer(container: Container, guard: Guard): Promise<ContainedService> {
  const name = `hustings-${randomBytes(8).toString('hex')}`;
  guard.watchContainer(name);
  const { image, options, command = [] } = container;
  const remove = async (): Promise<void> => {
    await docker('rm', '--force', '--volumes', name);
    guard.forgetContainer(name);
  };
  await docker('run', '--detach', '--name', name, ...options, image, ...command);
  let pid = await untilReady(container, name).catch((error: unknown) => remove().then(() => Promise.reject(error)));
  return {
    pid: () => pid,
    kill: () => docker('kill', name).then(() => undefined),
    async restart() {
      await docker('restart', '--time', '0', name);
      pid = await untilReady(container, name);
    },
    stop: remove,
    execute: (...words) => docker('exec', name, ...words),
  };
}

async function untilReady(container: Container, name: string): Promise<number> {
  const deadlineMs = performance.now() + readyMsMax;
  while (performance.now() < deadlineMs) {
    const [isRunning, pid] = (await docker('inspect', '--format', '{{.State.Running}} {{.State.Pid}}', name)).split(
      ' ',
    );
    if (isRunning !== 'true') break;
    if (await container.answers().catch(() => false)) return Number(pid);
    await pause(checkMs);
  }
  throw new Error(`${container.image} did not start. Its log ends:\n${await docker('logs', '--tail', '20', name)}`);
}

async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args);
  return stdout.trim();
}
