import { expect, test } from 'vitest';
import { provideProgram } from './provide.ts';

const need = { name: 'Redis', packages: ['redis-server', 'redis-tools'], variable: 'HUSTINGS_TEST_REDIS_URLS' };
const unwanted = (): never => {
  throw new Error('not asked for');
};

test('a program that is there is taken, and nothing is installed', async () => {
  const sources = { install: unwanted, hasContainerEngine: unwanted };
  expect(await provideProgram({ ...need, find: () => '/usr/bin/redis-server' }, sources)).toBe('/usr/bin/redis-server');
});

test('a program that is missing is installed', async () => {
  let installed: string | null = null;
  const install = (packages: readonly string[], isMissing: () => boolean): Promise<null> => {
    expect(packages).toEqual(need.packages);
    expect(isMissing()).toBe(true);
    installed = '/usr/bin/redis-server';
    return Promise.resolve(null);
  };
  const sources = { install, hasContainerEngine: unwanted };
  expect(await provideProgram({ ...need, find: () => installed }, sources)).toBe('/usr/bin/redis-server');
});

test('where it cannot be installed a container is next', async () => {
  const sources = { install: () => Promise.resolve('no'), hasContainerEngine: () => Promise.resolve(true) };
  expect(await provideProgram({ ...need, find: () => null }, sources)).toBeNull();
});

test('what cannot be had at all is told in one line, with what to do', async () => {
  const install = () => Promise.resolve('only root can have it installed');
  const sources = { install, hasContainerEngine: () => Promise.resolve(false) };
  await expect(provideProgram({ ...need, find: () => null }, sources)).rejects.toThrow(
    'There is no Redis here: only root can have it installed. Run "sudo apt-get install redis-server redis-tools", start Docker, or name one in HUSTINGS_TEST_REDIS_URLS.',
  );
});
