import { expect, test } from 'vitest';
import { testSecret } from '../../test/support/tokens.ts';
import { parseConfig } from '../config.ts';
import { SettingError } from '../lib/setting-table.ts';

function tokensFrom(env: Record<string, string>) {
  return parseConfig({ argv: [], env }).tokens;
}

test('without a secret and without published keys there are no tokens', () => {
  expect(tokensFrom({ JWT_ISSUER: 'https://login.example.org/' })).toBeNull();
});

test('the keys decide which algorithms fit, and which one is meant where none is named', () => {
  const url = 'https://login.example.org/jwks';
  expect(tokensFrom({ JWT_SECRET_KEY: testSecret })).toMatchObject({ keys: 'secret', algorithm: 'HS256' });
  expect(tokensFrom({ JWT_SECRET_KEY: testSecret.repeat(2), JWT_ALGORITHM: 'HS512' })).toMatchObject({
    algorithm: 'HS512',
  });
  expect(tokensFrom({ JWT_JWKS_URL: url })).toMatchObject({ keys: 'published', algorithm: 'RS256', url });
  expect(tokensFrom({ JWT_JWKS_URL: url, JWT_ALGORITHM: 'EdDSA' })).toMatchObject({ algorithm: 'EdDSA' });
  expect(JSON.stringify(tokensFrom({ JWT_SECRET_KEY: testSecret }))).not.toContain(testSecret);
});

test.for<[env: Record<string, string>, message: string]>([
  [{ JWT_SECRET_KEY: 'secret' }, 'JWT_SECRET_KEY has fewer than 32 bytes'],
  [{ JWT_SECRET_KEY: testSecret.slice(1) }, 'JWT_SECRET_KEY has fewer than 32 bytes'],
  [{ JWT_SECRET_KEY: testSecret, JWT_ALGORITHM: 'HS384' }, 'JWT_SECRET_KEY has fewer than 48 bytes'],
  [{ JWT_SECRET_KEY: 'change-me-change-me-change-me-change-me' }, 'JWT_SECRET_KEY looks like a sample'],
  [{ JWT_SECRET_KEY: 'your-super-secret-key-that-nobody-knows' }, 'JWT_SECRET_KEY looks like a sample'],
  [{ JWT_SECRET_KEY: 'a-string-secret-at-least-256-bits-long' }, 'JWT_SECRET_KEY looks like a sample'],
  [{ JWT_SECRET_KEY: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }, 'JWT_SECRET_KEY looks like a sample'],
  [
    { JWT_SECRET_KEY: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
    'JWT_SECRET_KEY looks like a sample',
  ],
  [{ JWT_SECRET_KEY: testSecret, JWT_ALGORITHM: 'none' }, 'it takes HS256'],
  [{ JWT_SECRET_KEY: testSecret, JWT_ALGORITHM: 'RS256' }, 'RS256 does not go with JWT_SECRET_KEY'],
  [{ JWT_JWKS_URL: 'https://a.example/', JWT_ALGORITHM: 'HS256' }, 'HS256 does not go with --jwt-jwks-url'],
  [{ JWT_JWKS_URL: 'https://a.example/', JWT_SECRET_KEY: testSecret }, 'give one of them'],
  [{ JWT_JWKS_URL: 'http://a.example/' }, '--jwt-jwks-url must begin with https://'],
  [{ JWT_JWKS_URL: 'https://user:hush@a.example/' }, 'JWT_JWKS_URL: "https://***" is not allowed'],
  [{ JWT_JWKS_URL: 'file:///etc/jwks' }, 'JWT_JWKS_URL: "***" is not allowed'],
  [{ HUSTINGS_PRESET: 'election' }, 'set JWT_SECRET_KEY'],
])('%j is refused in one line', ([env, message]) => {
  expect(() => tokensFrom(env)).toThrow(SettingError);
  expect(() => tokensFrom(env)).toThrow(message);
});

test('a trial may do with less, where it says that it is one', () => {
  expect(tokensFrom({ DURABILITY: 'process', JWT_SECRET_KEY: 'secret' })).toMatchObject({ keys: 'secret' });
  expect(tokensFrom({ DURABILITY: 'process', JWT_JWKS_URL: 'http://keys:80/' })).toMatchObject({ keys: 'published' });
  expect(tokensFrom({ JWT_JWKS_URL: 'http://127.0.0.1:9/' })).toMatchObject({ keys: 'published' });
});
