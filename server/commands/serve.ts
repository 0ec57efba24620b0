/** `hustings serve`: starts the server and says where it is. */
import type { Config } from '../config.ts';
import { startHustings, type ComposeOptions, type Running } from '../compose.ts';
import { toBanner } from './banner.ts';

export async function serve(config: Config, options: ComposeOptions): Promise<{ running: Running; banner: string }> {
  const running = await startHustings(config, options);
  return { running, banner: toBanner(config, running) };
}
