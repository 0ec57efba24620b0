/** `hustings serve`: starts the server and says where it is. */
import type { Config } from '../config.ts';
import { toPublicUrl } from '../config.ts';
import { startHustings, type ComposeOptions, type Running } from '../compose.ts';

export async function serve(config: Config, options: ComposeOptions): Promise<{ running: Running; banner: string }> {
  const running = await startHustings(config, options);
  return { running, banner: toBanner(config, running) };
}

function toBanner(config: Config, { port }: Running): string {
  const url = toPublicUrl(config, port);
  const database =
    config.database.kind === 'embedded' ? `embedded PostgreSQL in ${config.dataFolder}` : String(config.database.url);
  const durability =
    config.durability === 'strict'
      ? 'strict: a receipt survives a power cut'
      : 'process: a receipt survives a killed process, not a power cut';
  return [
    'Hustings is ready.',
    '',
    `  Open         ${url}/`,
    `  API          ${url}/docs`,
    ...(config.preset === 'features' ? [`  Sample poll  ${url}/api/v1/polls/features`] : []),
    `  Ballots      ${database}`,
    `  Durability   ${durability}`,
    '',
    '  Stop with Ctrl-C.',
  ].join('\n');
}
