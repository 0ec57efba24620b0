/** `hustings serve`: starts the server and says where it is. */
import type { Config } from '../config.ts';
import { startHustings } from '../compose.ts';
import { toBanner } from './banner.ts';
import type { ProcessesOptions, RunningProcesses } from './serve-processes.ts';

export async function serve(
  config: Config,
  options: ProcessesOptions,
): Promise<{ running: RunningProcesses; banner: string }> {
  const running = await start(config, options);
  return { running, banner: toBanner(config, running) };
}

async function start(config: Config, options: ProcessesOptions): Promise<RunningProcesses> {
  if (config.processes === 1) return startHustings(config, options);
  const { startProcesses } = await import('./serve-processes.ts');
  return startProcesses(config, options);
}
