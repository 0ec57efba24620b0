import { isIP } from 'node:net';
import { isAddressRange } from './address-ranges.ts';
import { Secret } from './secret.ts';

/** One way to read a setting from text. */
export interface Kind<T> {
  /** Stands for the value in `--help`, as `PORT` does in `--port PORT`. */
  readonly placeholder: string;
  /** Ends the sentence "it takes ...", in messages and in the docs. */
  readonly takes: string;
  /** Answers undefined for a text that is not allowed. */
  parse(text: string): T | undefined;
  /** The part of a secret text that a message may show. Without it a message shows the text itself. */
  readonly redact?: (text: string) => string;
  /** What the flag means when it stands without a value. Without it a flag needs a value. */
  readonly alone?: string;
}

interface CountKind extends Kind<number> {
  readonly min: number;
  readonly max: number;
}

const wholeNumber = /^(?:0|[1-9]\d{0,14})$/;
const hostName = /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9.])?$/i;
const printable = /^\P{Cc}+$/u;
const headerToken = /^[!-~]+$/;

/** A whole number of something. `unit` is its plural, as in "ballots". Both limits are allowed values. */
export function count({ unit, min, max }: { unit: string; min: number; max: number }): CountKind {
  return {
    placeholder: 'COUNT',
    takes: `a whole number of ${unit} from ${min} to ${max}`,
    min,
    max,
    parse(text) {
      const number = Number(text);
      return wholeNumber.test(text) && number >= min && number <= max ? number : undefined;
    },
  };
}

/** A duration. The names of its flag, variable and value end in the unit. */
export function milliseconds(limits: { min: number; max: number }): CountKind {
  return { ...count({ unit: 'milliseconds', ...limits }), placeholder: 'MS' };
}

/** A port to connect to. */
export const port: CountKind = {
  ...count({ unit: '', min: 1, max: 65_535 }),
  placeholder: 'PORT',
  takes: 'a port from 1 to 65535',
};

/** A port to listen on, where 0 stands for any free one. */
export const listeningPort: CountKind = {
  ...count({ unit: '', min: 0, max: 65_535 }),
  placeholder: 'PORT',
  takes: 'a port from 0 to 65535, where 0 is any free one',
};

export const host: Kind<string> = {
  placeholder: 'HOST',
  takes: 'an IP address or a host name, without a port',
  parse: (text) => (isIP(text) > 0 || hostName.test(text) ? text : undefined),
};

export const path: Kind<string> = {
  placeholder: 'PATH',
  takes: 'a path',
  parse: (text) => (printable.test(text) && text.length <= 4_096 ? text : undefined),
};

/** The beginning of the paths of some routes, without a slash at its end: empty for the root. */
export const pathPrefix: Kind<string> = {
  placeholder: 'PATH',
  takes: 'a path such as /api/v1, of letters, digits and . _ ~ -, or / alone',
  parse: (text) =>
    /^\/(?:[\w.~-]+(?:\/[\w.~-]+)*\/?)?$/.test(text) && text.length <= 255 ? text.replace(/\/$/, '') : undefined,
};

export const shortText: Kind<string> = {
  placeholder: 'TEXT',
  takes: 'a text of 1 to 255 characters',
  parse: (given) => (printable.test(given) && given.length <= 255 ? given : undefined),
};

/** Several such texts, no two of them alike. */
export function shortTexts({ min, max }: { min: number; max: number }): Kind<readonly string[]> {
  return {
    placeholder: 'LIST',
    takes: `${min} to ${max} different texts with commas between them`,
    parse(given) {
      const texts = given.split(',').map((text) => text.trim().normalize('NFC'));
      const usable = texts.every((text) => text.isWellFormed() && shortText.parse(text) !== undefined);
      const different = new Set(texts).size === texts.length;
      return usable && different && texts.length >= min && texts.length <= max ? texts : undefined;
    },
  };
}

const secondsOfUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A duration with its unit, as in `90s`, `15m`, `1h` or `7d`. In seconds. */
export function duration({ daysMax }: { daysMax: number }): Kind<number> {
  return {
    placeholder: 'TIME',
    takes: `a time such as 90s, 15m, 1h or 7d, at most ${daysMax}d`,
    parse(given) {
      const [, amount = '', unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(given) ?? [];
      const seconds = Number(amount) * (secondsOfUnit[unit] ?? 0);
      return seconds > 0 && seconds <= daysMax * 86_400 ? seconds : undefined;
    },
  };
}

export const boolean: Kind<boolean> = {
  placeholder: 'true|false',
  takes: 'true or false',
  alone: 'true',
  parse: (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
};

/** A boolean in the spellings of other programs' variables. */
export const looseBoolean: Kind<boolean> = {
  placeholder: 'true|false',
  takes: 'true or false, also written 1, yes, on or 0, no, off',
  alone: 'true',
  parse(given) {
    const word = given.toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(word)) return true;
    return ['false', '0', 'no', 'off'].includes(word) ? false : undefined;
  },
};

export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  const inline = words.join('|');
  return {
    placeholder: inline.length <= 20 ? inline : 'WORD',
    takes: toAlternatives(words),
    parse: (given) => words.find((word) => word === given),
  };
}

/** Where browsers reach a site, as in `https://vote.example.org`: no path, no slash at the end. */
export const httpOrigin: Kind<string> = {
  placeholder: 'URL',
  takes: 'an http:// or https:// URL without a path',
  parse: toHttpOrigin,
};

/** Either every origin, or those listed. */
export const origins: Kind<'*' | string[]> = {
  placeholder: 'LIST',
  takes: 'origins such as `https://example.org` with commas between them, or only `*`',
  parse(given) {
    if (given === '*') return '*';
    const parts = given.split(',').map((part) => part.trim());
    const listed = parts.map(toHttpOrigin).filter((origin) => origin !== undefined);
    return listed.length === parts.length ? listed : undefined;
  },
};

/** Proxies, by their addresses. */
export const trustedProxies: Kind<readonly string[]> = {
  placeholder: 'LIST',
  takes: '`loopback`, `private`, IP addresses and ranges such as `10.1.0.0/16`, with commas between them',
  parse(given) {
    const ranges = given.split(',').map((part) => part.trim());
    return ranges.every(isAddressRange) ? ranges : undefined;
  },
};

/** A key that travels in an HTTP header: long enough not to be guessed at once, and printable. */
export const headerKey: Kind<Secret> = {
  placeholder: 'KEY',
  takes: '8 to 256 printable ASCII characters without spaces',
  redact: () => '***',
  parse: (given) =>
    headerToken.test(given) && given.length >= 8 && given.length <= 256 ? new Secret(given) : undefined,
};

export const password: Kind<Secret> = {
  placeholder: 'PASSWORD',
  takes: 'a text of 1 to 1024 characters',
  redact: () => '***',
  parse: (given) => (given !== '' && given.length <= 1_024 ? new Secret(given) : undefined),
};

/** The database with its password. `String()` of the value shows the URL without it. */
export const postgresUrl = urlWithPassword(
  ['postgres:', 'postgresql:'],
  'postgres://USER:PASSWORD@HOST:PORT/DATABASE with special characters percent-encoded',
);

/** The same for Redis. */
export const redisUrl = urlWithPassword(
  ['redis:', 'rediss:'],
  'redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS, with special characters percent-encoded',
);

/** The same for RabbitMQ. */
export const amqpUrl = urlWithPassword(
  ['amqp:', 'amqps:'],
  'amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS, with special characters percent-encoded',
);

const hostPort = /^(?:\[[0-9a-f:]+\]|[a-z0-9_][a-z0-9._-]*):\d{1,5}$/iu;

/** Brokers by host and port. */
export const hostPorts: Kind<string[]> = {
  placeholder: 'LIST',
  takes: '`HOST:PORT` with commas between several of them',
  parse(given) {
    const parts = given.split(',').map((part) => part.trim());
    return parts.every((part) => hostPort.test(part) && Number(part.slice(part.lastIndexOf(':') + 1)) <= 65_535)
      ? parts
      : undefined;
  },
};

function urlWithPassword(protocols: readonly string[], takes: string): Kind<Secret> {
  return {
    placeholder: 'URL',
    takes,
    redact: (given) => `${/^[a-z][a-z0-9+.-]*:\/\//i.exec(given)?.[0] ?? ''}***`,
    parse(given) {
      const url = URL.parse(given);
      if (url === null || !protocols.includes(url.protocol)) return undefined;
      // A password with an unescaped / ? or # spills into the parts behind it, and would be shown there.
      const rest = url.pathname + url.search + url.hash;
      if (!given.startsWith(`${url.protocol}//`) || rest.includes('@') || url.hash !== '') {
        return undefined;
      }
      return new Secret(given, toUrlWithoutSecrets(url));
    },
  };
}

/** The same kind for a setting that may be absent: its default is undefined. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return kind;
}

function toHttpOrigin(given: string): string | undefined {
  const url = URL.parse(given);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
  return url.href === `${url.origin}/` ? url.origin : undefined;
}

function toUrlWithoutSecrets(url: URL): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  // Options are for the driver; some of them (`password`, `sslpassword`) are secrets.
  shown.search = '';
  return shown.href;
}

/** `a`, `a or b`, `a, b or c`. */
function toAlternatives(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1');
}
