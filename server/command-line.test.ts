import { describe, expect, expectTypeOf, test } from 'vitest';
import { commands, parseCommandLine, type Invocation } from './command-line.ts';
import { SettingError } from './lib/setting-table.ts';
import { settings } from './settings.ts';

function invoke(line: string, env: Record<string, string> = {}): Invocation {
  return parseCommandLine({ argv: line.split(' ').filter((word) => word !== ''), env });
}

function helpOf(line: string): string {
  const invocation = invoke(line);
  if (invocation.command !== 'help') throw new Error(`${line} does not ask for help`);
  return invocation.text;
}

describe('parseCommandLine', () => {
  test('the whole call: a command, its own options, flags, environment and .env', () => {
    const invocation = parseCommandLine({
      argv: ['bulk', 'ballots.ndjson', '--poll=features', '--url', 'http://localhost:9000/'],
      env: { LOG_LEVEL: 'warn' },
      envFile: 'HUSTINGS_PRESET=party\n',
    });
    expect(invocation).toMatchObject({
      command: 'bulk',
      options: { file: 'ballots.ndjson', poll: 'features', url: 'http://localhost:9000' },
      config: { logLevel: 'warn', preset: 'party', port: 3000 },
    });
    if (invocation.command === 'bulk') {
      expectTypeOf(invocation.options).toEqualTypeOf<{
        readonly file: string;
        readonly poll: string;
        readonly url: string | undefined;
      }>();
    }
  });

  test('without a command it serves, and flags may stand before the command', () => {
    expect(invoke('')).toMatchObject({ command: 'serve', config: { port: 8000 } });
    expect(invoke('--port 9000')).toMatchObject({ command: 'serve', config: { port: 9000 } });
    expect(invoke('--log-level debug migrate')).toMatchObject({ command: 'migrate' });
    expect(invoke('verify --data=./elsewhere')).toMatchObject({ command: 'verify' });
  });

  test('a duel is seeded at the port of its preset, unless another one is named', () => {
    expect(invoke('seed duel', { HUSTINGS_PRESET: 'none' })).toMatchObject({ command: 'seed', config: { port: 5000 } });
    expect(invoke('seed duel --port 9000')).toMatchObject({ config: { port: 9000 } });
    expect(invoke('seed duel --url http://localhost:81')).toMatchObject({ options: { url: 'http://localhost:81' } });
  });

  test('help and version come out even where a setting is wrong', () => {
    const env = { PORT: 'abc' };
    expect(invoke('help', env).command).toBe('help');
    expect(invoke('serve --help', env).command).toBe('help');
    expect(invoke('version', env)).toEqual({ command: 'version' });
    expect(invoke('serve --version', env)).toEqual({ command: 'version' });
  });

  test.each([
    ['serv', 'There is no command "serv". Did you mean "serve"?'],
    [
      'results',
      'There are serve, worker, queue, ring, migrate, bulk, seed, token, verify, backup, restore, doctor, help, version.',
    ],
    ['help nonsense', 'There is no command "nonsense".'],
    ['seed', 'duel is missing'],
    ['seed party', 'it takes duel.'],
    ['bulk --poll x', 'FILE.ndjson is missing'],
    ['bulk a.ndjson', '--poll is missing: it takes the id or the slug of a poll.'],
    ['bulk a.ndjson b.ndjson --poll x', '"b.ndjson" is too much: the usage is "hustings bulk FILE'],
    ['serve --poll x', '--poll belongs to "hustings bulk", not to "hustings serve".'],
    ['serve --pol x', 'Did you mean --poll?'],
    ['--data ./x toString', 'There is no command "toString".'],
  ])('"%s" is refused', (line, message) => {
    expect(() => invoke(line)).toThrow(SettingError);
    expect(() => invoke(line)).toThrow(message);
  });
});

describe('the help', () => {
  test('explains every command, every setting, and what commands take besides', () => {
    const help = helpOf('--help');
    expect(helpOf('help')).toBe(help);
    expect(helpOf('-h')).toBe(help);
    for (const name of Object.keys(commands)) expect(help).toContain(`\n  ${name} `);
    for (const { env } of Object.values(settings)) expect(help).toContain(env);
    for (const name of ['FILE.ndjson', '--poll REF', '--url URL']) expect(help).toContain(name);
    expect(help).toContain('Default: 8000, or 3000 with preset party');
  });

  test('of one command shows its usage and only the settings that it reads', () => {
    expect(helpOf('help bulk')).toContain('Usage: hustings bulk FILE.ndjson --poll REF [--url URL] [FLAGS]');
    expect(helpOf('migrate --help')).toContain('--migration-lock-timeout-ms');
    expect(helpOf('migrate --help')).not.toContain('--recorder-lanes');
    expect(helpOf('serve --help')).toContain('--recorder-lanes');
  });

  test('keeps to 96 columns and leaves no space at the end of a line', () => {
    const pages = Object.keys(commands).map((name) => helpOf(`help ${name}`));
    for (const line of [helpOf('help'), ...pages].join('\n').split('\n')) {
      expect(line.length).toBeLessThanOrEqual(96);
      expect(line).toBe(line.trimEnd());
      expect(line).not.toMatch(/undefined|\[object|`/);
    }
  });
});

test('no flag of a command hides a setting', () => {
  const keys = Object.values(commands).flatMap((command) => Object.keys(command.options));
  expect(keys.filter((key) => key in settings)).toEqual([]);
  const flags = new Set<unknown>(Object.values(settings).map((row) => 'flag' in row && row.flag));
  const own = Object.values(commands).flatMap(({ options }) =>
    Object.values<{ flag?: string }>(options).flatMap(({ flag }) => flag ?? []),
  );
  expect([...own, 'help', 'version'].filter((flag) => flags.has(flag))).toEqual([]);
});
