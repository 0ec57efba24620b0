import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { findStalePages, pages } from '../scripts/docs.ts';
import { parseConfig, type Config, type ConfigSources } from './config.ts';
import { readEnvFile, SettingError, type Setting } from './lib/setting-table.ts';
import { settings } from './settings.ts';

const rows = Object.entries<Setting<unknown>>(settings);

function configFrom(sources: Partial<ConfigSources>): Config {
  return parseConfig({ argv: [], env: {}, ...sources });
}

function refusalOf(sources: Partial<ConfigSources>): string {
  try {
    configFrom(sources);
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('the table of settings', () => {
  test('no flag and no variable has two rows', () => {
    for (const names of [rows.map(([, row]) => row.flag), rows.map(([, row]) => row.env)]) {
      const given = names.filter((name) => name !== undefined);
      expect(given).toEqual([...new Set(given)]);
    }
  });

  test.each(rows)('%s has a variable, a doc of whole sentences and a page entry', (_, row) => {
    expect(row.env).toMatch(/^[A-Z][A-Z_]+$/);
    expect(row.doc).toMatch(/^[A-Z].*\.$/);
    const name = row.flag === undefined ? row.env : `--${row.flag}`;
    expect(pages['docs/configuration.md']?.()).toContain(`\n### \`${name}\`\n\n${row.doc}\n`);
  });

  test.each(rows)('the default and the example of %s pass their own parser', (_, row) => {
    const presetDefaults = Object.values(row.presets ?? {});
    const own = row.otherwise === undefined ? [row.default] : [];
    for (const value of [...own, ...presetDefaults]) {
      expect(row.kind.parse(String(value))).toEqual(value);
    }
    if (row.example !== undefined) expect(row.kind.parse(row.example)).toBeDefined();
  });

  test('a setting that can hold a secret shows no example of it and can be redacted', () => {
    for (const [key, row] of rows) {
      if (!/(?:key|password)(?!File$)/i.test(key)) continue;
      expect(row.example).toBeUndefined();
      expect(row.kind.redact?.('hush')).toBe('***');
    }
  });

  test('every number has both limits, takes them, and takes nothing beyond', () => {
    const counts = rows.filter(([, row]) => typeof row.default === 'number');
    expect(counts.length).toBeGreaterThan(10);
    for (const [, { kind }] of counts) {
      const { min, max } = expectCount(kind);
      expect([min - 1, min, max, max + 1].map((value) => kind.parse(`${value}`))).toEqual([
        undefined,
        min,
        max,
        undefined,
      ]);
    }
  });

  test('defaults by preset name presets that exist', () => {
    const named = rows.flatMap(([, row]) => Object.keys(row.presets ?? {}));
    expect(named).toContain('party');
    for (const preset of named) expect(settings.preset.kind.parse(preset)).toBe(preset);
  });

  test('the pages made from it are those in the repository', () => {
    expect(findStalePages()).not.toContain('docs/configuration.md');
    expect(findStalePages()).not.toContain('.env.example');
  });

  test('.env.example as it stands sets nothing, and with its marks removed it is accepted', () => {
    const example = pages['.env.example']?.() ?? '';
    expect(configFrom({ envFile: example })).toEqual(configFrom({}));
    // Two ways to the same: one of them is used.
    const used = example.replaceAll(/^#(?!REDIS_CLUSTER=)([A-Z_]+=)/gm, '$1');
    expect(configFrom({ envFile: used })).toMatchObject({
      publicUrl: 'https://vote.example.org',
      database: { kind: 'postgres' },
    });
  });
});

describe('parseConfig', () => {
  test('without any setting the server is local, embedded, strict and has the sample board', () => {
    expect(configFrom({})).toEqual({
      host: '127.0.0.1',
      port: 8000,
      publicUrl: undefined,
      processes: 1,
      trustedProxies: [],
      corsOrigins: [],
      preset: 'features',
      resultsPort: 5001,
      optionA: 'Cats',
      optionB: 'Dogs',
      tokens: null,
      electionCandidates: ['Ada Lovelace', 'Grace Hopper', 'Edsger Dijkstra'],
      votesPerMinuteMax: 100,
      resultsCacheTtlSeconds: 60,
      apiPrefix: '/api/v1',
      livePollsMax: 100_000,
      liveOptionsMax: 1_000,
      redis: null,
      createKey: undefined,
      dataFolder: './data',
      database: { kind: 'embedded' },
      durability: 'strict',
      ballotsWaitingMax: 20_000,
      batchBallotsMax: 4_000,
      recorderLanes: 2,
      poolConnectionsMax: 8,
      bodyBytesMax: 16_384,
      headersTimeoutMs: 5_000,
      requestTimeoutMs: 10_000,
      statementTimeoutMs: 10_000,
      migrationLockTimeoutMs: 10_000,
      drainTimeoutMs: 10_000,
      ingestLog: { name: 'direct' },
      ring: null,
      worker: true,
      segmentsWaitingMax: 1_000_000,
      liveFrameMs: 100,
      liveHeartbeatMs: 15_000,
      bus: { name: 'postgres' },
      socketsMax: 50_000,
      socketsPerAddressMax: 10_000,
      joinMissesPerMinuteMax: 60,
      logLevel: 'warn',
      metricsHost: '127.0.0.1',
      metricsPort: undefined,
      nodeEnv: 'production',
    });
  });

  test('the preset duel moves the port, and its options are two different names', () => {
    expect(configFrom({ env: { HUSTINGS_PRESET: 'duel', OPTION_A: 'Tea', OPTION_B: 'Coffee' } })).toMatchObject({
      port: 5000,
      resultsPort: 5001,
      optionA: 'Tea',
      optionB: 'Coffee',
    });
    for (const [OPTION_A, OPTION_B] of [
      ['Dogs', 'Dogs'],
      [' Dogs', 'Dogs '],
      [' ', 'Dogs'],
      ['Café', 'Cafe\u0301'],
    ]) {
      expect(refusalOf({ argv: ['--preset', 'duel'], env: { OPTION_A, OPTION_B } })).toBe(
        '--option-a and --option-b must be two different names, and neither blank.',
      );
    }
  });

  test('DEBUG raises the log of the preset live, unless that is set, and nothing else reads it', () => {
    const live = { HUSTINGS_PRESET: 'live' };
    expect(configFrom({ env: { ...live, DEBUG: 'True' } }).logLevel).toBe('debug');
    expect(configFrom({ env: { ...live, DEBUG: 'False' } }).logLevel).toBe('info');
    expect(configFrom({ env: { ...live, DEBUG: 'true', LOG_LEVEL: 'error' } }).logLevel).toBe('error');
    expect(configFrom({ env: { DEBUG: 'express:*' } }).logLevel).toBe('warn');
    expect(refusalOf({ env: { ...live, DEBUG: 'express:*' } })).toMatch(/^DEBUG: "express:\*" is not allowed/u);
  });

  test('its types are those of the table', () => {
    expectTypeOf<Config['port']>().toEqualTypeOf<number>();
    expectTypeOf<Config['preset']>().toEqualTypeOf<'features' | 'party' | 'duel' | 'election' | 'live' | 'none'>();
    expectTypeOf<Config['publicUrl']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Config>().not.toHaveProperty('postgresPassword');
    expectTypeOf<Config>().not.toHaveProperty('jwtSecretKey');
  });

  test('a flag wins over the environment, that over .env, that over the preset, that over the default', () => {
    const env = { PORT: '2', HUSTINGS_PRESET: 'party' };
    const envFile = 'PORT=3\n';
    expect(configFrom({ argv: ['--port', '1'], env, envFile }).port).toBe(1);
    expect(configFrom({ argv: ['--port=1'], env, envFile }).port).toBe(1);
    expect(configFrom({ env, envFile }).port).toBe(2);
    expect(configFrom({ env: { HUSTINGS_PRESET: 'party' }, envFile }).port).toBe(3);
    expect(configFrom({ envFile: 'HUSTINGS_PRESET=party' }).port).toBe(3000);
    expect(configFrom({ argv: ['--preset', 'none'], env: { HUSTINGS_PRESET: 'party' } }).port).toBe(8000);
  });

  test('an empty variable counts as unset, an empty flag is refused', () => {
    expect(configFrom({ env: { PORT: '' }, envFile: 'PORT=9000' }).port).toBe(9000);
    expect(configFrom({ env: { PORT: '' }, envFile: 'PORT=' }).port).toBe(8000);
    expect(refusalOf({ argv: ['--port='] })).toContain('--port: ""');
  });

  test('a .env file of Windows with a byte order mark and comments is read', () => {
    const envFile = '\uFEFFPORT=9000 # the usual\r\nexport HOST="0.0.0.0"\r\n';
    expect(configFrom({ envFile })).toMatchObject({ port: 9000, host: '0.0.0.0' });
  });

  test('a folder without a .env file has no settings, and one that cannot be read stops the start', () => {
    expect(readEnvFile(`${import.meta.dirname}/.env.missing`)).toBeUndefined();
    expect(() => readEnvFile(import.meta.dirname)).toThrow(SettingError);
  });

  test.each([
    [['--port', 'abc'], '--port: "abc" is not allowed, it takes a port from 0 to 65535'],
    [['--port', '-1'], '--port: "-1" is not allowed'],
    [['--recorder-lanes=17'], 'it takes a whole number of lanes from 1 to 16.'],
    [['--recorder-lanes=2.5'], '--recorder-lanes: "2.5" is not allowed'],
    [['--durability', 'strickt'], 'it takes strict or process.'],
    [['--preset', 'Party'], 'it takes features, party, duel, election, live or none.'],
    [['--host', 'localhost:80'], 'without a port.'],
    [['--public-url', 'https://example.org/vote'], 'URL without a path.'],
    [['--trusted-proxies', '10.0.0.0/8, proxy'], '--trusted-proxies: "10.0.0.0/8, proxy" is not allowed, it takes'],
    [['--prot', '9000'], 'There is no flag --prot. Did you mean --port?'],
    [['--frobnicate'], 'There is no flag --frobnicate. See "hustings help".'],
    [['--port'], '--port needs a value: it takes a port'],
    [['--port', '--host', 'x'], '--port needs a value'],
    [['--port', '1', '--port=1'], '--port is given twice.'],
    [['9000'], '"9000" does not belong to any flag.'],
  ])('%j is refused and says what is allowed', (argv, message) => {
    expect(refusalOf({ argv })).toContain(message);
  });

  test('a refusal names the place where the setting was given', () => {
    expect(refusalOf({ env: { LOG_LEVEL: 'loud' } })).toMatch(/^LOG_LEVEL: "loud"/);
    expect(refusalOf({ envFile: 'LOG_LEVEL=loud' })).toMatch(/^LOG_LEVEL in \.env: "loud"/);
    expect(refusalOf({ argv: ['--log-level=loud'] })).toMatch(/^--log-level: "loud"/);
  });

  test('a refusal is one line of bearable length whatever was given', () => {
    const refusal = refusalOf({ env: { PORT: `1\n${'9'.repeat(10_000)}` } });
    expect(refusal).not.toContain('\n');
    expect(refusal.length).toBeLessThan(200);
  });

  test('two timeouts that contradict each other are refused together', () => {
    expect(
      refusalOf({
        argv: ['--headers-timeout-ms=9000'],
        env: { HUSTINGS_REQUEST_TIMEOUT_MS: '8000' },
      }),
    ).toBe('--headers-timeout-ms (9000) must not be above HUSTINGS_REQUEST_TIMEOUT_MS (8000).');
  });

  test('ports for the metrics of several processes that would be too high are refused', () => {
    expect(refusalOf({ argv: ['--processes', '3', '--metrics-port', '65534'], env: {} })).toBe(
      '--metrics-port 65534: the metrics of 3 processes would end at 65536, above 65535.',
    );
    expect(parseConfig({ argv: ['--processes', '2', '--metrics-port', '65534'], env: {} })).toMatchObject({
      metricsPort: 65_534,
    });
  });
});

describe('the database', () => {
  test('DATABASE_URL wins over POSTGRES_HOST', () => {
    const env = {
      DATABASE_URL: 'postgresql://app:hush@db:5433/votes',
      POSTGRES_HOST: 'other',
      POSTGRES_PORT: 'tcp://10.0.0.1:5432',
    };
    expect(urlOf(configFrom({ env })).reveal()).toBe(env.DATABASE_URL);
  });

  test('POSTGRES_ variables make a URL in which special characters are escaped', () => {
    const env = { POSTGRES_HOST: '::1', POSTGRES_USER: 'a b', POSTGRES_PASSWORD: 'p@/#?' };
    const url = urlOf(configFrom({ env }));
    expect(url.reveal()).toBe('postgres://a%20b:p%40%2F%23%3F@[::1]:5432/a%20b');
    expect(String(url)).toBe('postgres://a%20b:***@[::1]:5432/a%20b');
  });

  test('POSTGRES_ variables without a host are not even read', () => {
    const env = { POSTGRES_PORT: 'tcp://10.0.0.1:5432', POSTGRES_PASSWORD: 'hush' };
    expect(configFrom({ env }).database).toEqual({ kind: 'embedded' });
    expect(refusalOf({ env: { ...env, POSTGRES_HOST: 'db' } })).toContain('POSTGRES_PORT');
  });
});

describe('a secret', () => {
  const secrets = {
    DATABASE_URL: 'postgres://app:hush-hush@db/votes?sslpassword=hush-hush',
    HUSTINGS_CREATE_KEY: 'hush-hush',
  };

  test('is in the configuration and in no print of it', () => {
    const config = configFrom({ env: secrets });
    expect(config.createKey?.reveal()).toBe('hush-hush');
    for (const print of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })]) {
      expect(print).toContain('postgres://app:***@db/votes');
      expect(print).not.toContain('hush');
    }
  });

  test.each([
    ['DATABASE_URL', 'mysql://app:hush@db/votes'],
    ['DATABASE_URL', 'postgres:app:hush@db'],
    ['DATABASE_URL', 'postgres://app:12/hush@db/votes'],
    ['DATABASE_URL', 'postgres://app:12?hush@db/votes'],
    ['DATABASE_URL', 'postgres://app:12#hush@db/votes'],
    ['DATABASE_URL', 'postgres://app:hush#@db/votes'],
    ['HUSTINGS_CREATE_KEY', 'hush'],
    ['HUSTINGS_CREATE_KEY', 'hush hush hush'],
  ])('in a wrong %s (%s) is not in the refusal', (name, value) => {
    const refusal = refusalOf({ env: { [name]: value } });
    expect(refusal).toContain(`${name}: "`);
    expect(refusal).not.toMatch(/hush|app/);
  });
});

function urlOf(config: Config) {
  if (config.database.kind !== 'postgres') throw new Error('the database is the embedded one');
  return config.database.url;
}

function expectCount(kind: object): { min: number; max: number } {
  if (!('min' in kind && 'max' in kind)) throw new Error('the kind has no limits');
  const { min, max } = kind;
  if (typeof min !== 'number' || typeof max !== 'number') throw new Error('a limit is no number');
  return { min, max };
}

describe('the log of ballots', () => {
  const logOf = (env: Record<string, string>, ...argv: string[]) => parseConfig({ argv, env }).ingestLog;
  const jwt = { JWT_SECRET_KEY: 'c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g' };

  test('a broker is used where it is asked for and has an address', () => {
    expect(logOf({ REDIS_HOST: 'cache' }, '--queue', 'redis')).toMatchObject({ name: 'redis', stream: 'votes' });
    expect(String((logOf({ REDIS_HOST: '::1' }, '--queue', 'redis') as { url: unknown }).url)).toBe(
      'redis://[::1]:6379',
    );
    expect(logOf({ KAFKA_BROKERS: 'a:9092, b:9093' }, '--queue=kafka')).toMatchObject({
      brokers: ['a:9092', 'b:9093'],
    });
    expect(logOf({ RABBITMQ_URL: 'amqp://user:secret@rabbit' }, '--queue=rabbitmq')).toMatchObject({
      queueName: 'vote_queue',
    });
    for (const queue of ['redis', 'rabbitmq', 'kafka']) {
      expect(() => logOf({}, '--queue', queue)).toThrow(`--queue ${queue} needs`);
    }
  });

  test('a preset uses the broker of its contract where that is there, unless another one is asked for', () => {
    expect(logOf({ REDIS_HOST: 'redis' }, '--preset', 'duel').name).toBe('redis');
    expect(logOf({ ...jwt, RABBITMQ_URL: 'amqp://rabbit' }, '--preset', 'election').name).toBe('rabbitmq');
    expect(logOf({ KAFKA_BROKERS: 'kafka:9092' }, '--preset', 'party').name).toBe('kafka');
    expect(logOf({ REDIS_HOST: 'redis' }, '--preset', 'duel', '--queue', 'direct').name).toBe('direct');
    expect(logOf({ REDIS_HOST: 'redis' }, '--preset', 'features').name).toBe('direct');
    expect(logOf({}, '--preset', 'duel').name).toBe('direct');
  });

  test('an address that is none is refused, and its password is not told', () => {
    expect(() => logOf({ KAFKA_BROKERS: 'kafka' })).toThrow('KAFKA_BROKERS');
    expect(() => logOf({ KAFKA_BROKERS: 'kafka:99999' })).toThrow('KAFKA_BROKERS');
    expect(() => logOf({ RABBITMQ_URL: 'http://user:secret@rabbit' })).toThrow(/^(?!.*secret)/u);
  });
});

describe('what servers on one ledger share', () => {
  const parse = (env: Record<string, string>, ...argv: string[]) => parseConfig({ argv, env });

  test('the bus is over PostgreSQL unless Redis is asked for, which then needs an address', () => {
    expect(parse({ REDIS_URL: 'redis://cache' }).bus).toEqual({ name: 'postgres' });
    expect(parse({ REDIS_URL: 'redis://cache' }, '--bus', 'redis').bus).toMatchObject({ name: 'redis' });
    expect(() => parse({}, '--bus', 'redis')).toThrow(
      '--bus redis needs REDIS_URL, REDIS_HOST, REDIS_NODES or REDIS_CLUSTER.',
    );
  });

  test('their Redis is the one that is named, else the first of the nodes', () => {
    const urlOf = (env: Record<string, string>) => {
      const { redis } = parse(env);
      return redis?.kind === 'server' ? redis.url.reveal() : undefined;
    };
    const nodes = 'redis://node-1:7000?weight=2&as=7001,redis://node-2:7000';
    expect(urlOf({})).toBeUndefined();
    expect(urlOf({ REDIS_NODES: nodes })).toBe('redis://node-1:7000');
    expect(urlOf({ REDIS_NODES: nodes, REDIS_HOST: 'cache' })).toBe('redis://cache:6379');
    expect(urlOf({ REDIS_NODES: nodes, REDIS_HOST: 'cache', REDIS_URL: 'redis://first' })).toBe('redis://first');
  });

  test('a cluster serves for all of it, unless another Redis is named', () => {
    const env = { REDIS_CLUSTER: 'redis://node-1:7000,redis://node-2:7000' };
    expect(parse(env, '--bus', 'redis').redis).toMatchObject({ kind: 'cluster' });
    expect(parse(env, '--bus', 'redis').bus).toMatchObject({ place: { kind: 'cluster' } });
    expect(parse({ ...env, REDIS_HOST: 'cache' }).redis).toMatchObject({ kind: 'server' });
    expect(() => parse(env, '--queue', 'redis')).toThrow('--queue redis needs REDIS_URL or REDIS_HOST.');
  });
});
