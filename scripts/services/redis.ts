/** A Redis that keeps what it has acknowledged, even through a power cut. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { startContainer } from './container.ts';
import { withGuard, type Guard } from './guard.ts';
import { findProgram } from './installed.ts';
import { findFreePort } from './ports.ts';
import { startProgram, type RunningService } from './program.ts';
import { provideProgram } from './provide.ts';

export type RedisService = RunningService & { readonly url: string };

export type RedisOptions = {
  /** Whose end ends the service too. Without it the service has one of its own, which removes the folder after a crash. */
  readonly guard?: Guard | undefined;
  /** Settings of redis.conf that replace or complete the strict ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** On which port servers of a cluster talk with each other, where it is to be in one. */
  readonly clusterPort?: number;
};

const need = {
  name: 'Redis',
  find: () => findProgram(['redis-server']),
  packages: ['redis-server'],
  variable: 'HUSTINGS_TEST_REDIS_URLS',
};
const image = 'redis:7.4';
const strictSettings = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
  save: '',
};
const answerMsMax = 1_000;

/** Its data are in the folder, which is made if it is missing; on a free port of 127.0.0.1. */
export async function startRedis(folder: string, options: RedisOptions = {}): Promise<RedisService> {
  const command = await provideProgram(need);
  await mkdir(folder, { recursive: true });
  const port = await findFreePort();
  const { clusterPort } = options;
  const joins = clusterPort === undefined ? {} : { 'cluster-port': String(clusterPort) };
  const args = toArguments({ ...strictSettings, ...joins, ...options.settings });
  const answers = (): Promise<boolean> => answersPing(port, options.settings?.['requirepass']);
  const service = await withGuard<RunningService>(folder, options.guard, (guard) => {
    const place = { port: String(port), bind: '127.0.0.1' };
    if (command === null) {
      // A cluster tells its clients where its servers are, so inside they must have the ports that they have outside.
      const isOutside = clusterPort !== undefined;
      const options = isOutside ? ['--network', 'host'] : ['--publish', `127.0.0.1:${port}:6379`];
      const inside = ['redis-server', ...(isOutside ? toArguments(place) : []), ...args];
      return startContainer({ image, options, command: inside, answers }, guard);
    }
    const placed = [...toArguments({ ...place, dir: folder }), ...args];
    return startProgram({ name: need.name, command, args: placed, folder, answers }, guard);
  });
  return { ...service, url: `redis://127.0.0.1:${port}` };
}

function toArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** While Redis reads its data it answers with an error, and is not ready. */
async function answersPing(port: number, password: string | undefined): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setTimeout(answerMsMax, () => socket.destroy());
  socket.write(`${password === undefined ? '' : `AUTH ${password}\r\n`}PING\r\n`);
  let answers = '';
  for await (const part of socket) {
    answers += String(part);
    if (answers.includes('+PONG')) return true;
    if (/^-/mu.test(answers)) return false;
  }
  return false;
}
