import { expect, test } from 'vitest';
import { testSecret } from '../../test/support/tokens.ts';
import { parseCommandLine } from '../command-line.ts';
import { createTokenVerifier, type TokenVerifier } from '../identity/token.ts';
import { makeToken } from './token.ts';

const now = Date.parse('2030-01-01T12:00:00Z');

function invoke(line: string, env: Record<string, string>) {
  const invocation = parseCommandLine({ argv: ['token', ...line.split(' ')], env });
  if (invocation.command !== 'token') throw new Error(`${line} asks for something else`);
  return { config: invocation.config, token: makeToken(invocation.config, { ...invocation.options, now }) };
}

async function verifierAt(config: ReturnType<typeof invoke>['config'], at: number): Promise<TokenVerifier> {
  if (config.tokens === null) throw new Error('There are no keys.');
  return createTokenVerifier(config.tokens, { now: () => at });
}

test('the token is one that the server takes, for an hour or for as long as was asked', async () => {
  const env = { JWT_SECRET_KEY: testSecret, JWT_ISSUER: 'us', JWT_AUDIENCE: 'we' };
  for (const [line, minutes] of [
    ['--user alice', 60],
    ['--user alice --expires 5m', 5],
  ] as const) {
    const { config, token } = invoke(line, env);
    expect(await token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/u);
    const early = await verifierAt(config, now + minutes * 60_000);
    expect(await early.verify(await token)).toBe('["us","alice"]');
    const late = await verifierAt(config, now + (minutes + 2) * 60_000);
    await expect(late.verify(await token)).rejects.toThrow('The token has expired.');
  }
});

test.for<[env: Record<string, string>, message: string]>([
  [{}, 'JWT_SECRET_KEY is not set, so there is no secret to sign with'],
  [{ JWT_JWKS_URL: 'https://login.example.org/jwks' }, 'only that issuer can sign them'],
])('with %j there is no token, and one line says why', async ([env, message]) => {
  await expect(invoke('--user alice', env).token).rejects.toThrow(message);
});

test.for([
  ['--expires 1h', '--user is missing: it takes the name of a user'],
  ['--user alice --expires soon', '--expires: "soon" is not allowed, it takes a time such as 90s, 15m, 1h or 7d'],
])('%s is refused', ([line = '', message = '']) => {
  expect(() => invoke(line, { JWT_SECRET_KEY: testSecret })).toThrow(message);
});
