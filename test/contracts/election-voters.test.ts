import { describe, expect, test } from 'vitest';
import {
  candidateIds,
  readStatus,
  sendVote,
  shareElection,
  startElection,
  tokenOf,
  voteIdOf,
} from '../support/election.ts';
import { post } from '../support/http.ts';
import { createDatabase, startOn } from '../support/server.ts';
import { forgeToken, inSeconds, startIssuer, testSecret } from '../support/tokens.ts';

const [ada] = candidateIds;

describe('contract election: who may vote', () => {
  const shared = shareElection();
  const good = { user_id: 'alice', exp: inSeconds(600) };
  /** Made when they are sent, because some are told by their times. */
  const hostileTokens: [name: string, makeToken: () => unknown][] = [
    ['no text', () => 7],
    ['an empty text', () => ''],
    ['words', () => 'let me in'],
    ['no algorithm', () => forgeToken(good, { alg: 'none' }, null)],
    ['another algorithm', () => forgeToken(good, { alg: 'HS512' })],
    ['another secret', () => forgeToken(good, { alg: 'HS256' }, `${testSecret}x`)],
    ['an empty secret', () => forgeToken(good, { alg: 'HS256' }, '')],
    ['a key file of its own choice', () => forgeToken(good, { alg: 'HS256', kid: '../../../../dev/null' }, '')],
    ['an end 61 seconds ago', () => forgeToken({ ...good, exp: inSeconds(-61) })],
    ['a beginning in 90 seconds', () => forgeToken({ ...good, nbf: inSeconds(90) })],
    ['no user', () => forgeToken({ exp: inSeconds(600) })],
    ['a user that is a list', () => forgeToken({ ...good, user_id: ['alice'] })],
    ['10 KB', () => forgeToken({ ...good, more: 'x'.repeat(10_000) })],
    ['letters beyond ASCII', () => `${tokenOf('alice')}é選`],
  ];

  test.for(hostileTokens)('a token with %s is refused and records nothing', async ([, makeToken]) => {
    const server = shared();
    const answer = await post(`${server.url}/api/v1/vote`, { candidate_id: ada, user_token: makeToken() });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(answer.json).toEqual({ detail: expect.stringMatching(/^Could not validate credentials/u) });
    expect(await server.query('select from ballots')).toHaveLength(0);
  });

  test('no token, another scheme and a broken header are refused', async () => {
    const server = shared();
    const headers: Record<string, string>[] = [
      {},
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: tokenOf('alice') },
      { authorization: `Basic ${tokenOf('alice')}` },
      { authorization: `Bearer ${tokenOf('alice')} x` },
      { authorization: 'Bearer \u00e9\u00ff' },
    ];
    for (const header of headers) {
      const answer = await post(`${server.url}/api/v1/vote`, { candidate_id: ada }, header);
      expect([header, answer.status, answer.headers.get('www-authenticate')]).toEqual([header, 401, 'Bearer']);
    }
    expect(await server.query('select from ballots')).toHaveLength(0);
  });

  test('a token that ended less than a minute ago is taken, and the scheme may be written in any letters', async () => {
    const server = await startElection();
    const token = forgeToken({ sub: 'alice', exp: inSeconds(-30), nbf: inSeconds(30) });
    const answer = await post(`${server.url}/api/v1/vote`, { candidate_id: ada }, { authorization: `bearer ${token}` });
    expect(answer.status).toBe(202);
    // `sub` names the same user as `user_id`, and the text of a number the same as the number.
    for (const [claims, status] of [
      [{ user_id: 'alice' }, 'failed'],
      [{ user_id: 7 }, 'processed'],
      [{ user_id: '7' }, 'failed'],
      [{ user_id: 'alice', iss: 'https://elsewhere.example' }, 'processed'],
    ] as const) {
      const vote = await post(`${server.url}/api/v1/vote`, {
        candidate_id: ada,
        user_token: forgeToken({ exp: inSeconds(600), ...claims }),
      });
      await expect.poll(() => readStatus(server, voteIdOf(vote))).toMatchObject({ processing_status: status });
    }
  });

  test('the hundred-and-first vote of a user in a minute is refused, and others go on', async () => {
    const server = await startElection();
    const answers = await Promise.all(Array.from({ length: 100 }, () => sendVote(server, 'alice', ada)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const refused = await sendVote(server, 'alice', ada);
    expect([refused.status, refused.json]).toEqual([429, { detail: expect.any(String) }]);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await sendVote(server, 'bob', ada)).status).toBe(202);
  });

  test('an issuer that publishes its keys may change them', async () => {
    const issuer = await startIssuer('RS256');
    const server = await startOn(await createDatabase(), ['--preset', 'election'], { JWT_JWKS_URL: issuer.url });
    const vote = (token: string) => post(`${server.url}/api/v1/vote`, { candidate_id: ada, user_token: token });
    await issuer.rotate();
    expect((await vote(await issuer.sign(good))).status).toBe(202);
    expect((await vote(tokenOf('bob'))).status).toBe(401);
    expect((await vote(forgeToken(good, { alg: 'HS256', kid: 'key-2' }, JSON.stringify(issuer.keys[0])))).status).toBe(
      401,
    );
  });

  test('while the keys cannot be had nobody is turned away for good', async () => {
    const issuer = await startIssuer('ES256');
    issuer.answerWith({ status: 503, body: '' });
    const env = { JWT_JWKS_URL: issuer.url, JWT_ALGORITHM: 'ES256' };
    const server = await startOn(await createDatabase(), ['--preset', 'election'], env);
    const token = await issuer.sign(good);
    const refused = await post(`${server.url}/api/v1/vote`, { candidate_id: ada, user_token: token });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
    issuer.answerWith(null);
    expect((await post(`${server.url}/api/v1/vote`, { candidate_id: ada, user_token: token })).status).toBe(202);
  });
});
