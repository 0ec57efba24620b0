/** Makes sure that nothing of ours outlives us, not even when this process is killed with -9. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { GuardOrder } from './guard-process.ts';

export type Guard = {
  /** A process group that ends with us. */
  watch(pid: number): void;
  /** It has ended; its number may soon belong to another program. */
  forget(pid: number): void;
  /** A PostgreSQL that writes its own number into a file of its folder, a new one when it is started again. */
  watchPostmaster(clusterFolder: string): void;
  watchContainer(name: string): void;
  forgetContainer(name: string): void;
  /** Nothing needs to be guarded any more. */
  close(): Promise<void>;
};

/**
 * Starts a small process of its own that waits for the end of this one, then ends what it watches and removes the folder. It
 * hears of our end by the end of its input, which no death of ours can withhold.
 */
export function openGuard(folder: string): Guard {
  const file = path.join(import.meta.dirname, 'guard-process.ts');
  // In a session of its own, so that Ctrl-C reaches us and not it. It never writes, so nobody waits for its output to end.
  const child = spawn(process.execPath, [file], { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const exited = once(child, 'exit');
  child.unref();
  // Should it have been killed, there is nothing to do but go on without it.
  child.stdin.on('error', () => undefined);
  const order = (...words: GuardOrder): void => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
  };
  order('remove', folder);
  return {
    watch: (pid) => order('watch', pid),
    forget: (pid) => order('forget', pid),
    watchPostmaster: (clusterFolder) => order('postmaster', clusterFolder),
    watchContainer: (name) => order('watch container', name),
    forgetContainer: (name) => order('forget container', name),
    close: async () => {
      order('dismiss');
      child.stdin.end();
      child.ref();
      await exited;
    },
  };
}

/**
 * Starts a service with the guard of its caller, or else with one of its own, which goes when the service is stopped and
 * removes the folder only if we do not live to stop it.
 */
export async function withGuard<Service extends { stop(): Promise<void> }>(
  folder: string,
  given: Guard | undefined,
  start: (guard: Guard) => Promise<Service>,
): Promise<Service> {
  if (given !== undefined) return start(given);
  const guard = openGuard(folder);
  try {
    const service = await start(guard);
    const stop = (): Promise<void> => service.stop().finally(() => guard.close());
    return { ...service, stop };
  } catch (error) {
    await guard.close();
    throw error;
  }
}
