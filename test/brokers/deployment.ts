/**
 * A profile of deploy/compose.yaml as plain processes on 127.0.0.1: the commands, variables, health checks and restarts of the file, in the files of
 * the image. Brokers and databases are those of scripts/services, with the settings of the file. Only what a network of containers gives is
 * substituted: a host and its port become 127.0.0.1 and a free port, and a server listens on 127.0.0.1 and a free port (HOST, PORT, RESULTS_PORT).
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Guard } from '../../scripts/services/guard.ts';
import { startKafka } from '../../scripts/services/kafka.ts';
import { findFreePort } from '../../scripts/services/ports.ts';
import { startPostgres } from '../../scripts/services/postgres.ts';
import { startRabbitmq } from '../../scripts/services/rabbitmq.ts';
import { startRedis } from '../../scripts/services/redis.ts';
import {
  fillIn,
  ownImage,
  readComposeFile,
  servicesOf,
  type ComposeService,
  type Variables,
} from '../deploy/compose-file.ts';
import { makeEnvFile } from '../deploy/env-file.ts';
import { instructionsOf, readDockerfile } from '../deploy/dockerfile.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { supervise } from './supervised.ts';

const run = promisify(execFile);

export type Deployment = {
  /** Where the outside finds what the file publishes on a port: `localhost:8000`, as everybody writes it, to the real place. */
  readonly places: ReadonlyMap<string, string>;
  /** Runs `hustings` in the container of a service, as `docker compose exec` does, and answers what it said. */
  execute(service: string, ...args: readonly string[]): Promise<string>;
  /** `kill -9` of one process of the service, and what Docker does then: it is started again. Resolves when that is healthy. */
  kill(service: string): Promise<void>;
  /** `docker compose stop`. Answers the exit status of every process of ours. */
  stop(): Promise<(number | null)[]>;
};

type Place = { readonly folder: string; readonly guard: Guard };

/** What runs for a service. */
type Running = {
  /** The port of 127.0.0.1 where it is found, for each port inside of its container. */
  readonly ports: ReadonlyMap<string, string>;
  kill(): Promise<void>;
  /** Answers the exit status, where it matters. */
  stop(): Promise<(number | null)[]>;
};

export async function startDeployment(
  profile: string,
  { app, folder, guard }: Place & { app: string },
): Promise<Deployment> {
  const compose = fillIn(readComposeFile(), makeEnvFile(folder).variables);
  const running = new Map<string, Running>();
  const services = new Map(servicesOf(compose, profile));
  const environments = new Map<string, Variables>();
  const stop = async (): Promise<(number | null)[]> => {
    const statuses: (number | null)[] = [];
    for (const each of [...running.values()].reverse()) statuses.push(...(await each.stop()));
    running.clear();
    return statuses;
  };
  const start = async (name: string, service: ComposeService): Promise<void> => {
    const place = { folder: path.join(folder, name), guard };
    if (!ownImage.test(service.image)) running.set(name, await startForeign(service, place));
    else {
      const ports = await takePorts(service);
      const environment = toEnvironment(service, running, ports);
      environments.set(name, environment);
      running.set(name, await startOwn(service, { app, guard, environment, ports }));
    }
  };
  try {
    const ready = (service: ComposeService): boolean =>
      Object.keys(service.depends_on ?? {}).every((needed) => running.has(needed));
    while (running.size < services.size) {
      const next = [...services].filter(([name, service]) => !running.has(name) && ready(service));
      await settleAll(next.map(([name, service]) => start(name, service)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    places: placesOf(services, running),
    stop,
    kill: (name) => running.get(name)?.kill() ?? Promise.reject(new Error(`${profile} has no ${name}.`)),
    async execute(name, ...args) {
      const { stdout } = await run(process.execPath, ['server/hustings.mjs', ...args], {
        cwd: app,
        env: environments.get(name),
      });
      return stdout.trim();
    },
  };
}

/** So that whatever was started is known by the time that a failure ends all of it. */
async function settleAll(starts: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function startForeign(
  { image, command = [], environment = {} }: ComposeService,
  { folder, guard }: Place,
): Promise<Running> {
  const [program = ''] = image.split(':');
  switch (program) {
    case 'postgres': {
      const { url, stop } = await startPostgres(folder, { guard });
      // The server that comes along listens on a socket, with the user and the database of the file.
      const proxy = await startPostgresProxy(url);
      const kill = (): Promise<void> => Promise.reject(new Error('It is killed by tests of its own.'));
      return { ports: new Map([['5432', new URL(proxy.url).port]]), kill, stop: () => stop().then(() => []) };
    }
    case 'redis': {
      const words = command.slice(1);
      const pairs = words.flatMap((word, index) =>
        index % 2 === 0 ? [[word.replace('--', ''), words[index + 1] ?? '']] : [],
      );
      const redis = await startRedis(folder, { guard, settings: Object.fromEntries(pairs) as Variables }); // Pairs of texts.
      return toForeign(redis, '6379', new URL(redis.url).port);
    }
    case 'rabbitmq': {
      const rabbitmq = await startRabbitmq(folder, { guard });
      const { RABBITMQ_DEFAULT_USER: user = '', RABBITMQ_DEFAULT_PASS: password = '' } = environment;
      await rabbitmq.control('add_user', user, password);
      await rabbitmq.control('set_permissions', user, '.*', '.*', '.*');
      return toForeign(rabbitmq, '5672', new URL(rabbitmq.url).port);
    }
    case 'apache/kafka': {
      const kafka = await startKafka(folder, { guard, settings: toKafkaSettings(environment) });
      return toForeign(kafka, '9092', kafka.brokers.split(':')[1] ?? '');
    }
  }
  throw new Error(`No test knows how to run ${image}.`);
}

function toForeign(
  service: { kill(): Promise<void>; restart(): Promise<void>; stop(): Promise<void> },
  port: string,
  realPort: string,
): Running {
  return {
    ports: new Map([[port, realPort]]),
    kill: () => service.kill().then(() => service.restart()),
    stop: () => service.stop().then(() => []),
  };
}

/** The image makes settings of its variables in this way. Where it listens and keeps its data is a matter of the place. */
function toKafkaSettings(environment: Variables): Variables {
  const placed = ['listeners', 'advertised.listeners', 'controller.quorum.voters', 'log.dirs', 'heap.opts'];
  const named = Object.entries(environment).filter(([name]) => name.startsWith('KAFKA_'));
  const settings = named.map(([name, value]) => [
    name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'),
    value,
  ]);
  return Object.fromEntries(settings.filter(([name = '']) => !placed.includes(name))) as Variables; // Pairs of texts.
}

/** A free port for each that the service listens on. */
async function takePorts({ ports = [] }: ComposeService): Promise<Map<string, string>> {
  const inside = ports.map((port) => port.split(':').at(-1) ?? '');
  return new Map(await Promise.all(inside.map(async (port) => [port, String(await findFreePort())] as const)));
}

/** The variables of the image and of the file, with the substitutions, and nothing else. */
function toEnvironment(
  { environment = {} }: ComposeService,
  running: ReadonlyMap<string, Running>,
  ports: ReadonlyMap<string, string>,
): Variables {
  const ofImage = instructionsOf(readDockerfile(), 'slim', 'ENV').map(({ rest }) => rest.split('=', 2));
  const result: Record<string, string> = { ...Object.fromEntries(ofImage), ...environment };
  for (const [host, { ports: found }] of running) {
    for (const [port, realPort] of found) {
      for (const [name, value] of Object.entries(result))
        result[name] = value.replaceAll(`${host}:${port}`, `127.0.0.1:${realPort}`);
      if (result['POSTGRES_HOST'] === host)
        Object.assign(result, { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: realPort });
    }
  }
  const [port, resultsPort] = ports.values();
  if (port !== undefined) Object.assign(result, { HOST: '127.0.0.1', PORT: port });
  if (resultsPort !== undefined) result['RESULTS_PORT'] = resultsPort;
  return { PATH: process.env['PATH'] ?? '', ...result };
}

type OwnPlace = {
  readonly app: string;
  readonly guard: Guard;
  readonly environment: Variables;
  readonly ports: ReadonlyMap<string, string>;
};

async function startOwn(
  { command = ['serve'], deploy, healthcheck }: ComposeService,
  { app, guard, environment: env, ports }: OwnPlace,
): Promise<Running> {
  const [, , ...check] = healthcheck?.test ?? [];
  const supervised = await supervise({ command, check, count: deploy?.replicas ?? 1, folder: app, env, guard });
  return { ports, ...supervised };
}

function placesOf(
  services: ReadonlyMap<string, ComposeService>,
  running: ReadonlyMap<string, Running>,
): Map<string, string> {
  return new Map(
    [...services].flatMap(([name, { ports = [] }]) =>
      ports.map((port): [string, string] => {
        const [, published, inside = ''] = port.split(':');
        return [`localhost:${published}`, `127.0.0.1:${running.get(name)?.ports.get(inside)}`];
      }),
    ),
  );
}
