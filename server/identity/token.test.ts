import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forgeToken, inSeconds, startIssuer, testSecret, toBase64Url } from '../../test/support/tokens.ts';
import { AppError } from '../errors.ts';
import { Secret } from '../lib/secret.ts';
import { createTokenVerifier, noTokens, signToken, type TokenOptions, type TokenVerifier } from './token.ts';

const now = Date.parse('2030-01-01T12:00:00Z');
const options: Extract<TokenOptions, { keys: 'secret' }> = {
  keys: 'secret',
  algorithm: 'HS256',
  secret: new Secret(testSecret),
  issuer: undefined,
  audience: undefined,
};
const later = inSeconds(600, now);

function createVerifier(change: Partial<TokenOptions> = {}, clock = () => now): Promise<TokenVerifier> {
  return createTokenVerifier({ ...options, ...change } as TokenOptions, { now: clock, keysCooldownMs: 0 }); // Each test names fields that go together.
}

async function refusalOf(verifier: TokenVerifier, token: string): Promise<string> {
  try {
    return `taken: ${await verifier.verify(token)}`;
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('a token with a secret', () => {
  test('names its issuer and its user, who is `user_id` before `sub`, and a number as good as its text', async () => {
    const verifier = await createVerifier();
    const users: [claims: object, identity: [string, string]][] = [
      [{ user_id: 'alice', sub: 'other' }, ['', 'alice']],
      [{ sub: 'alice' }, ['', 'alice']],
      [{ user_id: null, sub: 'alice' }, ['', 'alice']],
      [{ user_id: 7 }, ['', '7']],
      [{ user_id: '7', iss: 'a' }, ['a', '7']],
      [{ user_id: 'Zoë 選挙 🗳', iss: 'a\n"b' }, ['a\n"b', 'Zoë 選挙 🗳']],
      [{ user_id: '🗳'.repeat(255) }, ['', '🗳'.repeat(255)]],
    ];
    for (const [claims, identity] of users) {
      expect(await verifier.verify(forgeToken({ exp: later, ...claims }))).toBe(JSON.stringify(identity));
    }
  });

  test.for<[claims: object]>([
    [{}],
    [{ user_id: '', sub: 'alice' }],
    [{ user_id: {}, sub: 'alice' }],
    [{ user_id: ['alice'] }],
    [{ user_id: true }],
    [{ user_id: 'a\u0000b' }],
    [{ user_id: '\ud800' }],
    [{ user_id: 'x'.repeat(256) }],
    [{ user_id: Number.MAX_SAFE_INTEGER + 1 }],
    [{ sub: 7.5e300 }],
  ])('the claims %j name no user', async ([claims]) => {
    expect(await refusalOf(await createVerifier(), forgeToken({ exp: later, ...claims }))).toMatch(
      /^credential_invalid: The token names no user/u,
    );
  });

  test('the clocks of issuer and server may differ by a minute, and no more', async () => {
    const verifier = await createVerifier();
    const at = (exp: number, nbf = 0) => forgeToken({ user_id: 'alice', exp, nbf });
    expect(await refusalOf(verifier, at(inSeconds(-59, now)))).toMatch(/^taken/u);
    expect(await refusalOf(verifier, at(inSeconds(-61, now)))).toBe('credential_invalid: The token has expired.');
    expect(await refusalOf(verifier, at(later, inSeconds(59, now)))).toMatch(/^taken/u);
    expect(await refusalOf(verifier, at(later, inSeconds(61, now)))).toBe(
      'credential_invalid: The token is not valid yet.',
    );
    expect(await refusalOf(verifier, forgeToken({ user_id: 'alice' }))).toMatch(/^taken/u);
  });

  test('that was verified is known until it expires, at most for a minute', async () => {
    let clock = now;
    const verifier = await createVerifier({}, () => clock);
    const short = forgeToken({ user_id: 'alice', exp: inSeconds(-30, now) });
    const long = forgeToken({ user_id: 'alice', exp: later });
    expect(verifier.peek(long)).toBeUndefined();
    const identity = await verifier.verify(long);
    await verifier.verify(short);
    expect([verifier.peek(long), verifier.peek(short)]).toEqual([identity, identity]);
    clock += 30_000;
    expect([verifier.peek(long), verifier.peek(short)]).toEqual([identity, undefined]);
    clock += 30_000;
    expect(verifier.peek(long)).toBeUndefined();
    expect(verifier.peek(`${long}x`)).toBeUndefined();
  });

  test('must be of the issuer and for the audience that the settings name', async () => {
    const verifier = await createVerifier({ issuer: 'https://login.example.org/', audience: 'hustings' });
    const good = { user_id: 'alice', exp: later, iss: 'https://login.example.org/', aud: ['other', 'hustings'] };
    expect(await refusalOf(verifier, forgeToken(good))).toMatch(/^taken/u);
    const refusals: [change: object, message: string][] = [
      [{ iss: 'https://login.example.org' }, 'The token comes from another issuer.'],
      [{ iss: undefined }, 'The token comes from another issuer.'],
      [{ aud: 'other' }, 'The token is meant for another audience.'],
      [{ aud: undefined }, 'The token is meant for another audience.'],
    ];
    for (const [change, message] of refusals) {
      expect(await refusalOf(verifier, forgeToken({ ...good, ...change }))).toBe(`credential_invalid: ${message}`);
    }
  });

  const claims = { user_id: 'alice', exp: later };
  test.for<[name: string, token: string]>([
    ['no algorithm and no signature', forgeToken(claims, { alg: 'none' }, null)],
    ['no algorithm in other letters', forgeToken(claims, { alg: 'nOnE' }, null)],
    ['no algorithm and a signature', forgeToken(claims, { alg: 'none' })],
    ['no algorithm named', forgeToken(claims, { typ: 'JWT' })],
    ['another length of hash', forgeToken(claims, { alg: 'HS512' })],
    ['the algorithm of a key pair', forgeToken(claims, { alg: 'RS256' })],
    ['another secret', forgeToken(claims, { alg: 'HS256' }, `${testSecret}x`)],
    ['an empty secret', forgeToken(claims, { alg: 'HS256' }, '')],
    ['no signature', forgeToken(claims, { alg: 'HS256' }, null)],
    ['a path as the name of its key and an empty secret', forgeToken(claims, { alg: 'HS256', kid: '/dev/null' }, '')],
    ['a key of its own', forgeToken(claims, { alg: 'HS256', jwk: { kty: 'oct', k: 'AA' } }, '\0')],
    ['an address of keys of its own', forgeToken(claims, { alg: 'HS256', jku: 'http://127.0.0.1:1/' }, 'x')],
    ['what only its maker understands', forgeToken(claims, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['an unencoded payload', forgeToken(claims, { alg: 'HS256', b64: false, crit: ['b64'] })],
    ['a time that is a text', forgeToken({ ...claims, exp: '9999999999' })],
    ['a time that is none', forgeToken({ ...claims, nbf: {} })],
    ['a payload that is a list', forgeToken([])],
    ['ten kilobytes', forgeToken({ ...claims, more: 'x'.repeat(10_000) })],
    ['letters of another alphabet', `${forgeToken(claims)}é`],
    ['letters of another alphabet within', forgeToken(claims).replace('.', '.é')],
    ['a fourth part', `${forgeToken(claims)}.x`],
    ['white space', ` ${forgeToken(claims)}`],
    ['only dots', '..'],
    ['nothing', ''],
    ['a payload that is no JSON', `${toBase64Url('{"alg":"HS256"}')}.${toBase64Url('{')}.AAAA`],
    ['five parts, as encrypted ones have', 'a.b.c.d.e'],
  ])('with %s is refused', async ([, token]) => {
    expect(await refusalOf(await createVerifier(), token)).toMatch(/^credential_invalid/u);
  });

  test('of any text whatever is refused, and nothing else happens', async () => {
    const verifier = await createVerifier();
    const good = forgeToken(claims);
    const changed = fc
      .tuple(fc.nat(good.length - 1), fc.constantFrom('A', 'z', '.', '=', '-', '\u0000', 'é', '\ud800'))
      .map(([index, letter]) => good.slice(0, index) + letter + good.slice(index + 1))
      // The last letter of a signature has bits that say nothing.
      .filter((token) => token.slice(0, -1) !== good.slice(0, -1));
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, fc.string({ unit: 'binary' })), async (token) => {
        expect(await refusalOf(verifier, token)).toMatch(/^credential_invalid/u);
      }),
      { numRuns: 150 },
    );
  });

  test.for(['HS256', 'HS384', 'HS512'] as const)('that this server signs with %s is taken', async (algorithm) => {
    const ours = { ...options, algorithm, secret: new Secret(testSecret.repeat(2)), issuer: 'us', audience: 'we' };
    const token = await signToken(ours, { user: 'Zoë', issuedAt: now, expiresAt: now + 60_000 });
    const verifier = await createTokenVerifier(ours, { now: () => now });
    expect(await verifier.verify(token)).toBe('["us","Zoë"]');
  });
});

describe('a token of an issuer that publishes its keys', () => {
  const claims = { user_id: 'alice', exp: later };

  test.for(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const)(
    'is taken when signed with %s',
    async (algorithm) => {
      const issuer = await startIssuer(algorithm);
      const verifier = await createVerifier({ keys: 'published', algorithm, url: issuer.url });
      expect(await verifier.verify(await issuer.sign(claims))).toBe('["","alice"]');
      expect(await verifier.verify(await issuer.sign({ ...claims, user_id: 'bob' }))).toBe('["","bob"]');
      expect(issuer.readCount()).toBe(1);
    },
  );

  test('is refused with another algorithm, above all with the public key as a secret', async () => {
    const issuer = await startIssuer('RS256');
    const verifier = await createVerifier({ keys: 'published', algorithm: 'RS256', url: issuer.url });
    const [jwk = {}] = issuer.keys;
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const header = { alg: 'HS256', kid: jwk.kid };
    for (const token of [
      forgeToken(claims, header, String(pem)),
      forgeToken(claims, header, JSON.stringify(jwk)),
      forgeToken(claims, header, jwk.n),
      forgeToken(claims, { ...header, alg: 'RS256' }, String(pem)),
      forgeToken(claims, { ...header, alg: 'none' }, null),
      await issuer.sign(claims).then((good) => good.slice(0, -8)),
    ]) {
      expect(await refusalOf(verifier, token)).toMatch(/^credential_invalid/u);
    }
  });

  test('is taken with a new key as soon as its issuer has one, and with the old one no longer', async () => {
    const issuer = await startIssuer('ES256');
    const verifier = await createVerifier({ keys: 'published', algorithm: 'ES256', url: issuer.url });
    const old = await issuer.sign(claims);
    expect(await refusalOf(verifier, old)).toMatch(/^taken/u);
    await issuer.rotate();
    expect(await refusalOf(verifier, await issuer.sign(claims))).toMatch(/^taken/u);
    expect(await refusalOf(verifier, old)).toBe(
      'credential_invalid: The token is signed with a key that its issuer does not publish.',
    );
  });

  test('with an unknown key makes nobody ask for keys again and again', async () => {
    const issuer = await startIssuer('ES256');
    const verifier = await createTokenVerifier(
      { keys: 'published', algorithm: 'ES256', url: issuer.url, issuer: undefined, audience: undefined },
      { now: () => now },
    );
    await verifier.verify(await issuer.sign(claims));
    for (const kid of ['other', '__proto__', '../../etc/passwd', "' or 1=1 --", '']) {
      expect(await refusalOf(verifier, await issuer.sign(claims, { kid }))).toMatch(/^credential_invalid/u);
    }
    expect(issuer.readCount()).toBe(1);
  });

  test('is nobody’s fault while the keys cannot be had', async () => {
    const issuer = await startIssuer('ES256');
    const verifier = await createVerifier({ keys: 'published', algorithm: 'ES256', url: issuer.url });
    const token = await issuer.sign(claims);
    for (const answer of [
      { status: 500, body: '' },
      { status: 200, body: '{' },
      { status: 200, body: '{"keys":7}' },
      { status: 302, body: '' },
    ]) {
      issuer.answerWith(answer);
      expect(await refusalOf(verifier, token)).toMatch(/^tokens_unverifiable/u);
    }
    issuer.answerWith(null);
    expect(await refusalOf(verifier, token)).toMatch(/^taken/u);
    const gone = await createVerifier({ keys: 'published', algorithm: 'ES256', url: 'http://127.0.0.1:1/' });
    expect(await refusalOf(gone, token)).toMatch(/^tokens_unverifiable/u);
  });
});

test('a server without keys takes no token', async () => {
  expect(noTokens.peek('x')).toBeUndefined();
  expect(await refusalOf(noTokens, 'x')).toMatch(/^tokens_unverifiable/u);
});
