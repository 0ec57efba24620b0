/** Tokens that say who a voter is: JSON Web Tokens (RFC 7519), signed by whoever the configuration trusts. */
import { webcrypto } from 'node:crypto';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { AppError } from '../errors.ts';
import type { Secret } from '../lib/secret.ts';
import { isStorable } from '../poll/check-poll.ts';

export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;
export const keyPairAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type SecretAlgorithm = (typeof secretAlgorithms)[number];
type KeyPairAlgorithm = (typeof keyPairAlgorithms)[number];

export type TokenOptions = {
  /** The only issuer (`iss`) and audience (`aud`) whose tokens count; undefined: any. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
} & TokenKeys;

/** The algorithm belongs to the keys: what a token says of it only has to agree. */
export type TokenKeys =
  | { readonly keys: 'secret'; readonly algorithm: SecretAlgorithm; readonly secret: Secret }
  | { readonly keys: 'published'; readonly algorithm: KeyPairAlgorithm; readonly url: string };

export type TokenVerifier = {
  /** Whether there are keys at all: without them nobody could vote with a token. */
  readonly hasKeys: boolean;
  /** Who the token names, where it was verified a moment ago. */
  peek(token: string): string | undefined;
  /**
   * Who the token names: its issuer and its user, as one text. Two tokens of the same user answer the same.
   * @throws {AppError} `credential_invalid`, `tokens_unverifiable`
   */
  verify(token: string): Promise<string>;
};

export type VerifierParts = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How soon keys are asked for again because of a token with an unknown one. */
  readonly keysCooldownMs?: number;
};

/** How far the clocks of issuer and server may differ. */
const toleranceSeconds = 60;
/** More than any issuer puts into one; the headers of a request have room for 16 KiB in all. */
export const tokenCharsMax = 8_192;
export const userCharsMax = 255;
const keysCooldownMsDefault = 30_000;
/** What was verified is known for this long: a key that its issuer has withdrawn is not trusted for longer. */
const keptMs = 60_000;
const keptTokensMax = 10_000;
const keptTokenCharsMax = 2_048;

/** For a server that was told nothing about tokens. */
export const noTokens: TokenVerifier = {
  hasKeys: false,
  peek: () => undefined,
  verify: () => Promise.reject(new AppError('tokens_unverifiable', 'This server was given no keys to verify tokens.')),
};

/** jose is loaded here, because a start without tokens should not wait for it (46 ms). */
export async function createTokenVerifier(options: TokenOptions, parts: VerifierParts): Promise<TokenVerifier> {
  const { jwtVerify } = await import('jose');
  const findKey = await openKeys(options, parts);
  const { algorithm, issuer, audience } = options;
  const kept = createKeptTokens(parts.now);

  async function verifySignature(token: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, findKey, {
      algorithms: [algorithm],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(parts.now()),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    });
    return payload;
  }

  return {
    hasKeys: true,
    peek: kept.peek,
    async verify(token) {
      if (token.length > tokenCharsMax) throw new AppError('credential_invalid', 'The token is too long.');
      const payload = await verifySignature(token).catch((cause: unknown) => {
        throw toRefusal(cause);
      });
      const identity = toIdentity(payload);
      if (identity === null) {
        throw new AppError('credential_invalid', `The token names no user of 1 to ${userCharsMax} characters.`);
      }
      kept.keep(token, identity, payload.exp);
      return identity;
    },
  };
}

/** An imported key: handed over as bytes it would be imported for each token, which doubles the time (131 µs instead of 81 µs). */
async function openKeys(options: TokenOptions, parts: VerifierParts): Promise<JWTVerifyGetKey> {
  if (options.keys === 'published') {
    const { createRemoteJWKSet } = await import('jose');
    return createRemoteJWKSet(new URL(options.url), {
      cooldownDuration: parts.keysCooldownMs ?? keysCooldownMsDefault,
    });
  }
  const key = await importSecret(options, 'verify');
  return () => Promise.resolve(key);
}

/** A token that this configuration accepts, for trying it out. */
export async function signToken(
  options: Extract<TokenOptions, { keys: 'secret' }>,
  claims: { readonly user: string; readonly issuedAt: number; readonly expiresAt: number },
): Promise<string> {
  const { SignJWT } = await import('jose');
  const { algorithm, issuer, audience } = options;
  const token = new SignJWT({ user_id: claims.user })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject(claims.user)
    .setIssuedAt(new Date(claims.issuedAt))
    .setExpirationTime(new Date(claims.expiresAt));
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(await importSecret(options, 'sign'));
}

function importSecret(
  { algorithm, secret }: Extract<TokenKeys, { keys: 'secret' }>,
  use: 'sign' | 'verify',
): Promise<webcrypto.CryptoKey> {
  const hash = `SHA-${algorithm.slice(2)}`;
  return webcrypto.subtle.importKey('raw', Buffer.from(secret.reveal()), { name: 'HMAC', hash }, false, [use]);
}

/** The faults of a token, by the codes of jose; whatever else goes wrong is no fault of whoever sent it. */
const faults: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'The token has expired.',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'A claim of the token is not as this server wants it.',
  ERR_JWT_INVALID: 'The token is malformed.',
  ERR_JWS_INVALID: 'The token is malformed.',
  ERR_JOSE_NOT_SUPPORTED: 'The token asks for what this server does not support.',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The token is signed with another algorithm than this server wants.',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The signature of the token is wrong.',
  ERR_JWKS_NO_MATCHING_KEY: 'The token is signed with a key that its issuer does not publish.',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'The token does not say with which key it is signed.',
};

function toRefusal(cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const fault = code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' ? toClaimFault(cause) : faults[code];
  if (fault !== undefined) return new AppError('credential_invalid', fault, { cause });
  return new AppError('tokens_unverifiable', 'The keys of the issuer cannot be had.', { cause });
}

function toClaimFault(cause: unknown): string | undefined {
  const claim = typeof cause === 'object' && cause !== null && 'claim' in cause ? cause.claim : undefined;
  if (claim === 'nbf') return 'The token is not valid yet.';
  if (claim === 'iss') return 'The token comes from another issuer.';
  if (claim === 'aud') return 'The token is meant for another audience.';
  return faults['ERR_JWT_CLAIM_VALIDATION_FAILED'];
}

/**
 * The voter behind the claims; null where they name none. A `user_id` that is there decides, even a wrong one. The number 7 and the text
 * "7" are one user.
 */
function toIdentity({ iss, sub, user_id: userId }: JWTPayload): string | null {
  const given = userId ?? sub;
  // Beyond the safe integers two users would share one number.
  const user = typeof given === 'number' && Math.abs(given) <= Number.MAX_SAFE_INTEGER ? String(given) : given;
  if (typeof user !== 'string' || user === '' || !isStorable(user)) return null;
  // A character outside the first plane is one, not two.
  if (Array.from(user).length > userCharsMax) return null;
  return JSON.stringify([typeof iss === 'string' ? iss : '', user]);
}

/**
 * Tokens that were verified a moment ago, for those who send many requests with one: looking one up takes less than a microsecond,
 * verifying it with HS256 about 80 (Node 24, one core). The oldest make room for new ones.
 */
function createKeptTokens(now: () => number) {
  const kept = new Map<string, { readonly identity: string; readonly untilMs: number }>();
  return {
    peek(token: string): string | undefined {
      const found = kept.get(token);
      return found === undefined || now() >= found.untilMs ? undefined : found.identity;
    },
    keep(token: string, identity: string, expiresAtSeconds: number | undefined): void {
      if (token.length > keptTokenCharsMax) return;
      const expiresAtMs = ((expiresAtSeconds ?? Infinity) + toleranceSeconds) * 1_000;
      kept.delete(token);
      kept.set(token, { identity, untilMs: Math.min(now() + keptMs, expiresAtMs) });
      const [oldest] = kept.keys();
      if (kept.size > keptTokensMax && oldest !== undefined) kept.delete(oldest);
    },
  };
}
