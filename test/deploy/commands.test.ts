/** Every command, variable, port and health check of deploy/ is one that the program has. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commands, parseCommandLine, type Invocation } from '../../server/command-line.ts';
import { settings } from '../../server/settings.ts';
import {
  contractProfiles,
  fillIn,
  ownImage,
  readComposeFile,
  servicesOf,
  type ComposeService,
} from './compose-file.ts';
import { instructionsOf, readDockerfile, root } from './dockerfile.ts';
import { podsOf, readManifests } from './kubernetes-files.ts';

type SettingName = keyof typeof settings;

const dockerfile = readDockerfile();
const secrets = {
  POSTGRES_PASSWORD: 'postgres0',
  RABBITMQ_PASSWORD: 'rabbit0',
  REDIS_PASSWORD: 'redis0',
  JWT_SECRET_KEY: '5f1d09ac7be24836d90e1b7c45af62038e9d7c61fb2450a3',
};
const compose = fillIn(readComposeFile(), secrets);
const own = Object.entries(compose.services).filter(([, { image }]) => ownImage.test(image));
const manifests = readManifests();
const pods = podsOf(manifests);
/** What the image sets for every container. */
const imageEnv = Object.fromEntries(
  instructionsOf(dockerfile, 'slim', 'ENV').map(({ rest }) => rest.split('=', 2) as [string, string]),
);
const metricsPort = Number(imageEnv['HUSTINGS_METRICS_PORT']);
const { paths } = JSON.parse(readFileSync(path.join(root, 'test/conformance/openapi.snapshot.json'), 'utf8')) as {
  paths: object;
}; // The server's own description.

function invoke(command: readonly string[] | undefined, env: Readonly<Record<string, string>> | undefined): Invocation {
  const fallback = JSON.parse(instructionsOf(dockerfile, 'slim', 'CMD').at(-1)?.rest ?? '[]') as string[]; // dockerfile.test.ts compares it.
  return parseCommandLine({ argv: [...(command ?? fallback)], env: { ...imageEnv, ...env } });
}

/** The variables that the command would not look at. */
function unreadBy(command: keyof typeof commands, env: Readonly<Record<string, string>> = {}): string[] {
  const { reads } = commands[command];
  const read = new Set((reads as readonly SettingName[]).map((name) => settings[name].env)); // Keys of the table.
  return Object.keys(env).filter((name) => !read.has(name));
}

function configOf(invocation: Invocation) {
  if (!('config' in invocation)) throw new Error('This command has no settings.');
  return invocation.config;
}

test.for(own)('the program takes the command and every variable of %s', ([name, { command, environment }]) => {
  const invocation = invoke(command, environment);
  const expected = name === 'seed-data' ? 'seed' : name.endsWith('-worker') ? 'worker' : 'serve';
  expect(invocation.command).toBe(expected);
  expect(unreadBy(expected, environment)).toEqual([]);
});

test('the variables that the image sets are those of the program', () => {
  expect(unreadBy('serve', imageEnv)).toEqual([]);
  const { HOST, HUSTINGS_DATA } = Object.fromEntries(
    instructionsOf(dockerfile, 'default', 'ENV').map(({ rest }) => rest.split('=', 2)),
  );
  expect([HOST, HUSTINGS_DATA]).toEqual(['0.0.0.0', '/data']);
  expect(instructionsOf(dockerfile, 'slim', 'EXPOSE').map(({ rest }) => Number(rest))).toEqual([
    settings.port.default,
    metricsPort,
  ]);
});

test.for(own)('%s listens where its published ports lead, on every address of its container', ([, service]) => {
  const targets = (service.ports ?? []).map((port) => Number(port.split(':').at(-1)));
  const invocation = invoke(service.command, service.environment);
  if (invocation.command !== 'serve') return expect(targets).toEqual([]);
  const { host, port, preset, resultsPort } = invocation.config;
  expect(host).toBe('0.0.0.0');
  expect(targets).toEqual(preset === 'duel' ? [port, resultsPort] : [port]);
});

test.for(contractProfiles)('the profile %s has the preset of its contract, strict, with its broker', (profile) => {
  const servers = servicesOf(compose, profile).filter(([name]) => name === profile);
  const brokers = { features: 'direct', election: 'rabbitmq', duel: 'redis', live: 'direct', party: 'kafka' };
  expect(servers).toHaveLength(1);
  for (const [, { command, environment }] of servers) {
    const { preset, durability, ingestLog, database } = configOf(invoke(command, environment));
    expect([preset, durability, ingestLog.name, database.kind]).toEqual([
      profile,
      'strict',
      brokers[profile],
      'postgres',
    ]);
  }
  for (const [, { command, environment }] of servicesOf(compose, profile).filter(([name]) =>
    name.endsWith('-worker'),
  )) {
    const { durability, ingestLog, database } = configOf(invoke(command, environment));
    expect([durability, ingestLog.name, database.kind]).toEqual(['strict', brokers[profile], 'postgres']);
  }
});

test.for(own)('%s reaches only services that it waits for, on ports that these listen on', ([, service]) => {
  const ports: Record<string, string> = { postgres: '5432', redis: '6379', rabbitmq: '5672', 'apache/kafka': '9092' };
  for (const [host, port] of addressesOf(service)) {
    const target = compose.services[host];
    expect(Object.keys(service.depends_on ?? {}), host).toContain(host);
    const listening = ownImage.test(target?.image ?? '') ? '5000' : ports[target?.image.split(':')[0] ?? ''];
    expect(port ?? listening).toBe(listening);
    expect(target?.networks?.some((network) => service.networks?.includes(network))).toBe(true);
  }
});

test('the health check asks a path that the server has, by a program that is in the image', () => {
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/healthz', '/readyz']));
  expect(readFileSync(path.join(root, 'deploy/healthcheck.ts'), 'utf8')).toContain('/healthz');
  const command = JSON.parse(
    / CMD (.+)$/u.exec(instructionsOf(dockerfile, 'slim', 'HEALTHCHECK').at(-1)?.rest ?? '')?.[1] ?? '[]',
  ) as string[]; // As above.
  for (const [, { command: words = [], environment, healthcheck }] of own) {
    if (healthcheck?.disable === true) continue;
    expect(healthcheck?.test).toEqual(['CMD', ...command, ...words]);
    expect(configOf(invoke(words, environment)).metricsPort).toBe(metricsPort);
  }
});

test.for(pods)(
  'the program takes the command and every variable of the pods of $name',
  ({ pod: { containers }, annotations: podAnnotations }) => {
    const samples: Record<string, string> = {
      DATABASE_URL: 'postgres://hustings:secret@db:5432/hustings',
      RABBITMQ_URL: 'amqp://hustings:secret@broker:5672',
      REDIS_URL: 'redis://:secret@cache:6379',
      JWT_SECRET_KEY: secrets.JWT_SECRET_KEY,
    };
    const shared = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    for (const { args, env, ports = [], startupProbe, livenessProbe, readinessProbe } of containers) {
      const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? samples[name] ?? '']));
      const invocation = invoke(args, { ...shared, ...given });
      const { command } = invocation;
      if (command !== 'serve' && command !== 'worker' && command !== 'migrate')
        throw new Error(`No pod runs ${command}.`);
      expect(unreadBy('serve', shared)).toEqual([]);
      expect(unreadBy(command, given)).toEqual([]);
      expect(configOf(invocation).durability).toBe('strict');
      const probes = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet);
      const { host, metricsHost, metricsPort, port: publicPort } = configOf(invocation);
      expect([host, metricsHost]).toEqual(['0.0.0.0', '0.0.0.0']);
      const metrics = { name: 'metrics', containerPort: metricsPort };
      const expected = {
        migrate: [],
        worker: [metrics],
        serve: [{ name: 'http', containerPort: publicPort }, metrics],
      };
      expect(ports).toEqual(expected[command]);
      // A worker has no other port.
      const asked = ['/healthz', '/healthz', '/readyz'].map((path) => ({ path, port: expected[command][0]?.name }));
      expect(probes.filter((probe) => probe !== undefined)).toEqual(command === 'migrate' ? [] : asked);
      const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(metricsPort) };
      expect(podAnnotations).toEqual(command === 'migrate' ? undefined : annotations);
    }
  },
);

/** The hosts in a service's variables and arguments, with the port where one is named. Its own public address is for others. */
function addressesOf({ environment = {}, command = [] }: ComposeService): [host: string, port: string | undefined][] {
  const { HUSTINGS_PUBLIC_URL: _public, POSTGRES_HOST, POSTGRES_PORT = '', KAFKA_BROKERS, ...others } = environment;
  const urls = [...Object.values(others), ...command]
    .flatMap((text) => text.split(','))
    .filter((text) => /:\/\//u.test(text));
  if (POSTGRES_HOST !== undefined) urls.push(`postgres://${POSTGRES_HOST}:${POSTGRES_PORT}`);
  if (KAFKA_BROKERS !== undefined) urls.push(`kafka://${KAFKA_BROKERS}`);
  // Of other protocols than HTTP the standard keeps an empty user and does not look into the host.
  const parsed = urls.map((text) => new URL(text.replace(/^\w+:/u, 'http:')));
  return parsed.map(({ hostname, port }) => [hostname, port === '' ? undefined : port]);
}
