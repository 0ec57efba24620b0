/** Trying the same thing until it works. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.ts';

const pauseMs = 200;

export type Insist = <Result>(what: string, attempt: () => Promise<Result>) => Promise<Result>;

/** Each thing is tried until it works, or until the process ends: pauses do not keep that alive. The first failure is logged. */
export function createInsist(log: Logger): Insist {
  return async (what, attempt) => {
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (failures === 0) log.warn({ err: error }, `${what} failed`);
        await sleep(pauseMs, undefined, { ref: false });
      }
    }
  };
}
