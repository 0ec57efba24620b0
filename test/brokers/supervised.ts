/** Processes of the program as Docker keeps containers: what ends is started again, until all of it is stopped. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Guard } from '../../scripts/services/guard.ts';
import { findFreePort } from '../../scripts/services/ports.ts';

export type Plan = {
  /** What follows `hustings` on the command line. */
  readonly command: readonly string[];
  /** The program and its arguments that say whether it is healthy, for Node; empty where the process itself says that it is ready. */
  readonly check: readonly string[];
  readonly count: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly guard: Guard;
};

export type Supervised = {
  /** `kill -9` of one of them. Resolves when as many as before are healthy. */
  kill(): Promise<void>;
  /** Tells all of them to stop. Answers their exit statuses. */
  stop(): Promise<(number | null)[]>;
};

const run = promisify(execFile);
const healthyMsMax = 60_000;
const checkMs = 100;
/** Docker waits so long before the first new start, and longer before the next ones. */
const restartMs = 100;
const errorCharsMax = 2_000;

/** Resolves when all of them are healthy. @throws {Error} with what it said last, if one ends before */
export async function supervise(plan: Plan): Promise<Supervised> {
  const { command, check, count, folder, guard } = plan;
  /** Each with its variables: containers have an address of their own, and processes on one machine a port. */
  const children = new Map<ChildProcess, Plan['env']>();
  const ready = new Set<ChildProcess>();
  let stopping = false;
  let lastWords = '';

  function begin(env: Plan['env']): void {
    const child = spawn(process.execPath, ['server/hustings.mjs', ...command], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`hustings ${command.join(' ')} cannot be started in ${folder}.`);
    guard.watch(pid);
    children.set(child, env);
    child.stdout.on('data', (text) => {
      if (String(text).includes('is ready')) ready.add(child);
    });
    child.stderr.on('data', (text) => {
      lastWords = (lastWords + String(text)).slice(-errorCharsMax);
    });
    child.once('exit', () => {
      guard.forget(pid);
      children.delete(child);
      ready.delete(child);
      setTimeout(() => {
        if (!stopping) begin(env);
      }, restartMs);
    });
  }

  async function areHealthy(): Promise<boolean> {
    if (ready.size < count) return false;
    if (check.length === 0) return true;
    const checks = [...children.values()].map((env) => run(process.execPath, check, { cwd: folder, env }));
    return Promise.all(checks).then(
      () => true,
      () => false,
    );
  }

  async function untilHealthy(mayEnd: boolean): Promise<void> {
    const deadlineMs = performance.now() + healthyMsMax;
    while (!(await areHealthy())) {
      const hasEnded = !mayEnd && children.size < count;
      if (hasEnded || performance.now() > deadlineMs) {
        throw new Error(`hustings ${command.join(' ')} ${hasEnded ? 'ended' : 'is not healthy'}: ${lastWords}`);
      }
      await pause(checkMs);
    }
  }

  async function stop(): Promise<(number | null)[]> {
    stopping = true;
    return Promise.all(
      [...children.keys()].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        const [status] = (await gone) as [number | null]; // As Node says.
        return status;
      }),
    );
  }

  const places = await Promise.all(Array.from({ length: count }, () => toPlace(plan)));
  for (const env of places) begin(env);
  try {
    await untilHealthy(false);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    async kill() {
      const [child] = children.keys();
      if (child === undefined) throw new Error(`No hustings ${command.join(' ')} runs.`);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await untilHealthy(true);
    },
  };
}

/** What the image says of metrics is for a container. */
async function toPlace({ env }: Plan): Promise<Plan['env']> {
  return { ...env, HUSTINGS_METRICS_HOST: '127.0.0.1', HUSTINGS_METRICS_PORT: String(await findFreePort()) };
}
