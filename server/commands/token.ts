/** `hustings token`: a token of a user, for trying it out. */
import type { Config } from '../config.ts';
import { signToken } from '../identity/token.ts';
import { SettingError } from '../lib/setting-table.ts';

export type TokenRequest = {
  readonly user: string;
  readonly expiresSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** @throws {SettingError} where this server has no secret to sign with */
export async function makeToken(
  { tokens }: Pick<Config, 'tokens'>,
  { user, expiresSeconds, now }: TokenRequest,
): Promise<string> {
  if (tokens === null) {
    throw new SettingError('JWT_SECRET_KEY is not set, so there is no secret to sign with: set the one of the server.');
  }
  if (tokens.keys === 'published') {
    throw new SettingError(
      'This server takes tokens of an issuer with published keys: only that issuer can sign them.',
    );
  }
  return signToken(tokens, { user, issuedAt: now, expiresAt: now + expiresSeconds * 1_000 });
}
