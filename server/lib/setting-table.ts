import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { closestWord } from './closest-word.ts';
import type { Kind } from './setting-kinds.ts';

/** One row of a table of settings. A row without the key `default` must be given. */
export interface Setting<T> {
  readonly flag?: string;
  /** One letter, for `-h`. */
  readonly short?: string;
  readonly env?: string;
  /** For a word that stands in its place instead of behind a flag: how the help calls it. */
  readonly argument?: string;
  readonly kind: Kind<T>;
  readonly default?: NoInfer<T>;
  /** Defaults that hold in place of `default` under the preset of that name. */
  readonly presets?: Readonly<Record<string, NoInfer<T>>>;
  /** Says in words what happens by default, where the default is not a value. */
  readonly otherwise?: string;
  /** A value to show in `.env.example` where there is no default. */
  readonly example?: string;
  /** One or two sentences. */
  readonly doc: string;
  readonly group?: string;
}

/** A table of settings: the keys are those of the values that come out of it. */
type SettingTable<T> = { readonly [K in keyof T]: Setting<T[K]> };
export type AnySettings = Readonly<Record<string, Setting<unknown>>>;
export type ValuesOf<Table> = {
  [K in keyof Table]: Table[K] extends Setting<infer T> ? T : never;
};

/** What somebody wrote for a setting, and the name they wrote it under. */
interface Given {
  readonly text: string;
  /** `--port`, `PORT` or `PORT in .env`. */
  readonly under: string;
}
export type GivenValues = Readonly<Record<string, Given | undefined>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that stops the start. The message is one line, and shows no secret. */
export class SettingError extends Error {
  override name = 'SettingError';
}

/** A part of a table, under its heading in the help and the docs. Infers the types of the values. */
export function group<T>(heading: string, rows: SettingTable<T>): SettingTable<T> {
  const settings: AnySettings = rows;
  const grouped = Object.entries(settings).map(([key, row]) => [key, { ...row, group: heading }]);
  return Object.fromEntries(grouped) as SettingTable<T>; // The same rows, each with its heading.
}

/**
 * Splits a command line into words and flags. Both `--port=9000` and `--port 9000` are read.
 *
 * @throws {SettingError} for a flag that is unknown, given twice or without its value.
 */
export function parseArguments(
  argv: readonly string[],
  settings: AnySettings,
): { positionals: string[]; given: GivenValues } {
  const flags = new Map<string, { key: string; kind: Kind<unknown> }>();
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [key, { flag, short, kind }] of Object.entries(settings)) {
    if (flag === undefined) continue;
    flags.set(flag, { key, kind });
    const type = kind.alone === undefined ? 'string' : 'boolean';
    options[flag] = short === undefined ? { type } : { type, short };
  }

  // Not strict, because the messages of parseArgs itself know no "did you mean".
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const positionals: string[] = [];
  const given: Record<string, Given> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const known = flags.get(token.name);
    if (known === undefined) throw unknownFlag(token.rawName, [...flags.keys()]);
    if (given[known.key]) throw new SettingError(`${token.rawName} is given twice.`);
    const isNextFlag = token.inlineValue === false && /^--?[a-z]/i.test(token.value);
    const text = isNextFlag ? undefined : (token.value ?? known.kind.alone);
    if (text === undefined) {
      throw new SettingError(`${token.rawName} needs a value: it takes ${known.kind.takes}.`);
    }
    given[known.key] = { text, under: token.rawName };
  }
  return { positionals, given };
}

/** Adds what the environment and the text of a `.env` file say. A flag wins over both; empty means unset. */
export function gatherSettings(
  settings: AnySettings,
  sources: { flags: GivenValues; env: Environment; envFile?: string | undefined },
): GivenValues {
  const fileValues: Environment = parseEnv(sources.envFile?.replace(/^\uFEFF/, '') ?? '');
  const given: Record<string, Given | undefined> = {};
  for (const [key, { env }] of Object.entries(settings)) {
    given[key] =
      sources.flags[key] ??
      toGiven(env && sources.env[env], `${env}`) ??
      toGiven(env && fileValues[env], `${env} in .env`);
  }
  return given;
}

/**
 * The values of a table: what was given, else the preset's default, else the default.
 *
 * @throws {SettingError} for a value that is not allowed, or missing without a default.
 */
export function parseSettings<T>(settings: SettingTable<T>, given: GivenValues, preset?: string): T {
  const rows: AnySettings = settings;
  const values = Object.entries(rows).map(([key, setting]) => [key, parseSetting(setting, given[key], preset)]);
  return Object.fromEntries(values) as T; // Each key has the value that its own row's kind parsed.
}

function parseSetting(setting: Setting<unknown>, given: Given | undefined, preset: string | undefined): unknown {
  const { kind, presets } = setting;
  if (given === undefined) {
    if (preset !== undefined && presets && preset in presets) return presets[preset];
    if ('default' in setting) return setting.default;
    throw new SettingError(`${nameOf(setting)} is missing: it takes ${kind.takes}.`);
  }
  const value = kind.parse(given.text);
  if (value !== undefined) return value;
  const shown = toQuoted(kind.redact?.(given.text) ?? given.text);
  throw new SettingError(`${given.under}: ${shown} is not allowed, it takes ${kind.takes}.`);
}

/** The name that people know a setting by: its flag, else its place, else its variable. */
export function nameOf({ flag, argument, env }: Setting<unknown>): string {
  return flag === undefined ? (argument ?? env ?? '') : `--${flag}`;
}

/** What holds when nobody says anything, as in "8000, or 3000 with preset party". */
export function toDefaultText(
  { default: value, otherwise, presets = {} }: Setting<unknown>,
  mark: (word: unknown) => string = String,
): string {
  const variants = Object.entries(presets).map(([preset, other]) => `, or ${mark(other)} with preset ${mark(preset)}`);
  return (otherwise ?? mark(value)) + variants.join('');
}

/** The content of a `.env` file for `gatherSettings`; undefined where there is none. */
export function readEnvFile(path = '.env'): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new SettingError(`${path} is there and cannot be read.`, { cause });
  }
}

function toGiven(text: string | undefined, under: string): Given | undefined {
  return text === undefined || text === '' ? undefined : { text, under };
}

function unknownFlag(rawName: string, flags: readonly string[]): SettingError {
  const meant = closestWord(rawName.replace(/^-+/, ''), flags);
  const hint = meant === undefined ? 'See "hustings help".' : `Did you mean --${meant}?`;
  return new SettingError(`There is no flag ${toPlain(rawName)}. ${hint}`);
}

/** One line whatever the text holds, and a short one. */
export function toQuoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function toPlain(text: string): string {
  return toQuoted(text).slice(1, -1);
}
