/** The settings about voters with tokens, and what they come to. */
import { choice, optional, password, shortText, type Kind } from '../lib/setting-kinds.ts';
import { group, SettingError, type ValuesOf } from '../lib/setting-table.ts';
import type { Secret } from '../lib/secret.ts';
import { keyPairAlgorithms, secretAlgorithms, type TokenOptions } from './token.ts';

const keysUrl: Kind<string> = {
  placeholder: 'URL',
  takes: 'an http:// or https:// URL without a user name or a password',
  redact: (given) => `${/^https?:\/\//iu.exec(given)?.[0] ?? ''}***`,
  parse(given) {
    const url = URL.parse(given);
    if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
    return url.username === '' && url.password === '' ? url.href : undefined;
  },
};

export const tokenSettings = group('Voters with tokens', {
  jwtSecretKey: {
    env: 'JWT_SECRET_KEY',
    kind: optional(password),
    default: undefined,
    otherwise: 'no tokens are taken',
    doc: 'The secret with which the tokens (JWT) of voters are signed, for polls with the electorate `token`. At least 32 bytes for HS256, 48 for HS384 and 64 for HS512: `openssl rand -base64 48` makes one.',
  },
  jwtAlgorithm: {
    flag: 'jwt-algorithm',
    env: 'JWT_ALGORITHM',
    kind: optional(choice([...secretAlgorithms, ...keyPairAlgorithms])),
    default: undefined,
    otherwise: 'HS256 with a secret, RS256 with published keys',
    example: 'RS256',
    doc: 'The algorithm of the signatures. A token with another one is refused, whatever it says.',
  },
  jwtJwksUrl: {
    flag: 'jwt-jwks-url',
    env: 'JWT_JWKS_URL',
    kind: optional(keysUrl),
    default: undefined,
    otherwise: 'no published keys',
    example: 'https://login.example.org/.well-known/jwks.json',
    doc: 'Where the issuer of the tokens publishes its keys (JWKS), in place of a secret. They are read again every ten minutes, and at once, at most twice a minute, for a token with an unknown key.',
  },
  jwtIssuer: {
    flag: 'jwt-issuer',
    env: 'JWT_ISSUER',
    kind: optional(shortText),
    default: undefined,
    otherwise: 'any issuer',
    example: 'https://login.example.org/',
    doc: 'The only issuer (`iss`) whose tokens count. Users of different issuers are different voters.',
  },
  jwtAudience: {
    flag: 'jwt-audience',
    env: 'JWT_AUDIENCE',
    kind: optional(shortText),
    default: undefined,
    otherwise: 'any audience',
    example: 'hustings',
    doc: 'The audience (`aud`) that a token must be meant for. Set it where the issuer signs tokens for other services, too.',
  },
});

export type TokenSettings = ValuesOf<typeof tokenSettings>;

/** The settings and what decides how strict they are taken. */
type Given = TokenSettings & { readonly durability: 'strict' | 'process' };

/**
 * What the settings say about tokens; null where they say nothing.
 * @throws {SettingError} for settings that contradict each other, or keys that a stranger may know
 */
export function toTokenOptions(given: Given): TokenOptions | null {
  const { jwtSecretKey: secret, jwtJwksUrl: url, jwtIssuer: issuer, jwtAudience: audience, durability } = given;
  if (secret !== undefined && url !== undefined) {
    throw new SettingError('JWT_SECRET_KEY and --jwt-jwks-url are two ways to verify tokens: give one of them.');
  }
  if (secret !== undefined) {
    const algorithm = chooseAlgorithm(secretAlgorithms, given, 'JWT_SECRET_KEY');
    if (durability === 'strict') checkSecret(secret, Number(algorithm.slice(2)) / 8);
    return { keys: 'secret', algorithm, secret, issuer, audience };
  }
  if (url !== undefined) {
    const algorithm = chooseAlgorithm(keyPairAlgorithms, given, '--jwt-jwks-url');
    if (durability === 'strict') checkKeysUrl(new URL(url));
    return { keys: 'published', algorithm, url, issuer, audience };
  }
  return null;
}

function chooseAlgorithm<Algorithm extends string>(
  fitting: readonly [Algorithm, ...Algorithm[]],
  { jwtAlgorithm }: TokenSettings,
  keys: string,
): Algorithm {
  const algorithm = jwtAlgorithm === undefined ? fitting[0] : fitting.find((each) => each === jwtAlgorithm);
  if (algorithm !== undefined) return algorithm;
  throw new SettingError(`--jwt-algorithm: ${jwtAlgorithm} does not go with ${keys}, it takes ${fitting.join(', ')}.`);
}

/** What stands in tutorials and templates, and so in the hands of everybody. The third is that of the FastAPI tutorial. */
const sampleSecrets = [
  /change[-_ ]?(?:me|this|it|in)/iu,
  /your[-_ ]?(?:own|super|secret|jwt|very|random|key|\d)|super[-_ ]?secret|(?:secret|jwt)[-_ ]?key|a-string-secret|example|sample|placeholder|password/iu,
  /^09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7$/iu,
];
/** A text of fewer different characters was typed, not drawn. */
const differentCharsMin = 8;

/** Whoever guesses the secret votes in everybody's name. Its length is that of RFC 7518, section 3.2. */
function checkSecret(secret: Secret, bytesMin: number): void {
  const text = secret.reveal();
  const why =
    Buffer.byteLength(text) < bytesMin
      ? `has fewer than ${bytesMin} bytes`
      : sampleSecrets.some((sample) => sample.test(text)) || new Set(text).size < differentCharsMin
        ? 'looks like a sample'
        : null;
  if (why === null) return;
  throw new SettingError(
    `JWT_SECRET_KEY ${why}, so anybody could sign tokens with it: set one that "openssl rand -base64 48" prints, or DURABILITY=process for a trial.`,
  );
}

function checkKeysUrl({ protocol, hostname }: URL): void {
  if (protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return;
  throw new SettingError(
    '--jwt-jwks-url must begin with https://, or whoever is on the way could replace the keys. DURABILITY=process takes http:// for a trial.',
  );
}
