import { isIPv6 } from 'node:net';
import {
  boardSettings,
  toBoardPlace,
  toRingChoice,
  type BoardSettings,
  type RingChoice,
} from './board/board-settings.ts';
import type { TokenOptions } from './identity/token.ts';
import { toTokenOptions, type TokenSettings } from './identity/token-settings.ts';
import { logSettings, toLogChoice, toRedisUrl, type LogChoice, type LogSettings } from './ingest-log/log-settings.ts';
import type { RedisPlace } from './lib/redis-access.ts';
import { Secret } from './lib/secret.ts';
import {
  gatherSettings,
  nameOf,
  parseArguments,
  parseSettings,
  SettingError,
  toQuoted,
  type Environment,
  type GivenValues,
  type ValuesOf,
} from './lib/setting-table.ts';
import { settings } from './settings.ts';

type SettingValues = ValuesOf<typeof settings>;

/** The ledger's database. `String(url)` shows it without its password. */
export type Database = { kind: 'embedded' } | { kind: 'postgres'; url: Secret };

/** What carries news between the servers on one ledger. */
export type BusChoice = { readonly name: 'postgres' } | { readonly name: 'redis'; readonly place: RedisPlace };

export interface Config extends Omit<
  SettingValues,
  'bus' | 'databaseUrl' | 'debug' | PostgresPart | keyof TokenSettings | keyof BoardSettings | LogPart
> {
  readonly database: Database;
  /** How the tokens of voters are verified; null: they are not. */
  readonly tokens: TokenOptions | null;
  readonly ingestLog: LogChoice;
  readonly bus: BusChoice;
  /** The Redis for what all servers share besides results. */
  readonly redis: RedisPlace | null;
  /** The nodes of the shared board; null: there are none. */
  readonly ring: RingChoice | null;
}

/** What of the settings about logs is in `ingestLog`. */
type LogPart = Exclude<keyof LogSettings, 'worker' | 'segmentsWaitingMax'>;

type PostgresPart = Extract<keyof SettingValues, `postgres${string}`>;

/** Where the text of settings comes from. `envFile` is the content of a `.env` file, if there is one. */
export interface ConfigSources {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly envFile?: string | undefined;
}

/**
 * The configuration of a server from flags and environment.
 *
 * @throws {SettingError} for the first wrong setting, as one line for whoever starts the server.
 */
export function parseConfig({ argv, env, envFile }: ConfigSources): Config {
  const { positionals, given } = parseArguments(argv, settings);
  if (positionals[0] !== undefined) {
    throw new SettingError(`${toQuoted(positionals[0])} does not belong to any flag.`);
  }
  return toConfig({ flags: given, env, envFile });
}

/** The same from flags that were already split from their command. */
export function toConfig(sources: Omit<ConfigSources, 'argv'> & { flags: GivenValues }): Config {
  const gathered = withoutUnusedPostgresParts(gatherSettings(settings, sources));
  const { preset } = parseSettings({ preset: settings.preset }, gathered);
  const given = preset === 'live' ? gathered : { ...gathered, debug: undefined };
  const values = parseSettings<SettingValues>(settings, given, preset);
  checkTimeouts(values, given);
  checkMetricsPorts(values);
  checkDuelOptions(values);

  const { databaseUrl, postgresHost, debug, ...others } = values;
  const { postgresPort, postgresUser, postgresPassword, postgresDb, ...rest } = others;
  const { jwtSecretKey, jwtAlgorithm, jwtJwksUrl, jwtIssuer, jwtAudience, ...config } = withoutChosenParts(rest);
  const ingestLog = toLogChoice(values, { preset: values.preset, isGiven: given['queue'] !== undefined });
  const url =
    databaseUrl ??
    toPostgresUrl({
      host: postgresHost,
      port: postgresPort,
      user: postgresUser,
      password: postgresPassword,
      database: postgresDb ?? postgresUser,
    });
  const jwt = { jwtSecretKey, jwtAlgorithm, jwtJwksUrl, jwtIssuer, jwtAudience };
  const tokens = toTokenOptions({ ...jwt, durability: config.durability });
  checkElection(values, tokens);
  const ring = toRingChoice(values);
  const redis = toRedisPlace(toRedisUrl(values), ring);
  return {
    ...config,
    logLevel: debug && given['logLevel'] === undefined ? 'debug' : config.logLevel,
    redis,
    bus: toBusChoice(values.bus, redis),
    ring,
    tokens,
    ingestLog,
    database: url ? { kind: 'postgres', url } : { kind: 'embedded' },
  };
}

/** Where voters reach the server: as set, else by its host and the port that it really listens on. */
export function toPublicUrl(
  { publicUrl, host, port }: Pick<Config, 'publicUrl' | 'host' | 'port'>,
  listeningPort = port,
): string {
  if (publicUrl !== undefined) return publicUrl;
  const isThisMachine = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host);
  return `http://${isThisMachine ? 'localhost' : toUrlHost(host)}:${listeningPort}`;
}

function withoutChosenParts<Values extends object>(values: Values): Omit<Values, LogPart | keyof BoardSettings> {
  const kept = new Set(['worker', 'segmentsWaitingMax']);
  const all = [...Object.keys(logSettings), ...Object.keys(boardSettings)];
  const dropped = new Set(all.filter((key) => !kept.has(key)));
  const entries = Object.entries(values).filter(([key]) => !dropped.has(key));
  return Object.fromEntries(entries) as Omit<Values, LogPart | keyof BoardSettings>; // What is left of the same object.
}

const portMax = 65_535;

/**
 * Kubernetes sets POSTGRES_PORT to a URL beside any service called "postgres". So the variables are not
 * even looked at where they are not used.
 */
function withoutUnusedPostgresParts(given: GivenValues): GivenValues {
  if (given['postgresHost'] && !given['databaseUrl']) return given;
  return Object.fromEntries(Object.entries(given).filter(([key]) => !key.startsWith('postgres')));
}

/** Node refuses to start a server whose headers may take longer than the request that they belong to. */
function checkTimeouts(values: SettingValues, given: GivenValues): void {
  if (values.headersTimeoutMs <= values.requestTimeoutMs) return;
  const [headers, request] = (['headersTimeoutMs', 'requestTimeoutMs'] as const).map(
    (key) => `${given[key]?.under ?? nameOf(settings[key])} (${values[key]})`,
  );
  throw new SettingError(`${headers} must not be above ${request}.`);
}

/** Of several processes each has a port of its own for its metrics. */
function checkMetricsPorts({ metricsPort = 0, processes }: SettingValues): void {
  const last = metricsPort + processes - 1;
  if (metricsPort === 0 || last <= portMax) return;
  throw new SettingError(
    `${nameOf(settings.metricsPort)} ${metricsPort}: the metrics of ${processes} processes would end at ${last}, above ${portMax}.`,
  );
}

/** Two names that look alike would leave voters without a choice. */
function checkDuelOptions({ preset, optionA, optionB }: SettingValues): void {
  if (preset !== 'duel') return;
  const names = [optionA, optionB].map((name) => name.trim().normalize('NFC'));
  if (names.includes('') || names[0] === names[1] || !names.every((name) => name.isWellFormed())) {
    throw new SettingError(
      `${nameOf(settings.optionA)} and ${nameOf(settings.optionB)} must be two different names, and neither blank.`,
    );
  }
}

function toBusChoice(name: BusChoice['name'], place: RedisPlace | null): BusChoice {
  if (name === 'postgres') return { name };
  if (place === null) {
    throw new SettingError('--bus redis needs REDIS_URL, REDIS_HOST, REDIS_NODES or REDIS_CLUSTER.');
  }
  return { name, place };
}

/** The one that is named for it, else what holds the votes of polls. */
function toRedisPlace(named: Secret | undefined, ring: RingChoice | null): RedisPlace | null {
  if (named !== undefined) return { kind: 'server', url: named };
  return ring === null ? null : toBoardPlace(ring);
}

/** Its voters are users, so without keys nobody could vote. */
function checkElection({ preset }: SettingValues, tokens: TokenOptions | null): void {
  if (preset !== 'election' || tokens !== null) return;
  throw new SettingError(
    'The preset election knows its voters by their tokens: set JWT_SECRET_KEY ("openssl rand -base64 48" prints one) or --jwt-jwks-url.',
  );
}

function toPostgresUrl(parts: {
  host: string | undefined;
  port: number;
  user: string;
  password: Secret | undefined;
  database: string;
}): Secret | undefined {
  const { host, port, user, password, database } = parts;
  if (host === undefined) return undefined;
  const toUrl = (credentials: string) =>
    `postgres://${credentials}@${toUrlHost(host)}:${port}/${encodeURIComponent(database)}`;
  const name = encodeURIComponent(user);
  if (password === undefined) return new Secret(toUrl(name), toUrl(name));
  const secret = encodeURIComponent(password.reveal());
  return new Secret(toUrl(`${name}:${secret}`), toUrl(`${name}:***`));
}

function toUrlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
