/** Polls whose voters are known by signed tokens, over the API and the page without a script. */
import { describe, expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll, type TestReceipt } from '../support/http.ts';
import { totalOf } from '../support/polls.ts';
import { createDatabase, shareServer, startOn, startTestServer } from '../support/server.ts';
import { forgeToken, inSeconds, testSecret } from '../support/tokens.ts';

const shared = shareServer(['--preset', 'none'], { JWT_SECRET_KEY: testSecret });

function tokenOf(user: string, claims: object = {}): string {
  return forgeToken({ sub: user, exp: inSeconds(600), ...claims });
}

const createTokenPoll = (fields: object = {}): Promise<TestPoll> =>
  createPoll(shared().url, { electorate: 'token', ...fields });

function cast(poll: TestPoll, token: string | null, selections = ['1'], headers: Record<string, string> = {}) {
  const url = `${shared().url}/api/v1/polls/${poll.id}/ballots`;
  return post(url, { selections }, { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers });
}

function castBatch(poll: TestPoll, lines: readonly object[]) {
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  return send('POST', `${shared().url}/api/v1/polls/${poll.id}/ballots:batch`, body, {
    'content-type': 'application/x-ndjson',
  });
}

describe('a poll with the electorate token', () => {
  test('takes one ballot of each user, and a retry gets its receipt', async () => {
    const poll = await createTokenPoll();
    const first = await cast(poll, tokenOf('alice'), ['1'], { 'idempotency-key': 'k' });
    expect(first.status).toBe(201);
    const again = await cast(poll, tokenOf('alice', { jti: 'another token' }), ['1'], { 'idempotency-key': 'k' });
    expect((again.json as TestReceipt).ballotId).toBe((first.json as TestReceipt).ballotId);
    const second = await cast(poll, tokenOf('alice'), ['2']);
    expect([second.status, second.json]).toMatchObject([409, { code: 'ballot_already_cast' }]);
    // The same name from another issuer is somebody else, and so is the same user in another poll.
    expect((await cast(poll, tokenOf('alice', { iss: 'https://other.example' }))).status).toBe(201);
    expect((await cast(await createTokenPoll(), tokenOf('alice'))).status).toBe(201);
    expect(await totalOf(shared().url, poll)).toBe(2);
  });

  test('lets users change their ballot where it may be replaced', async () => {
    const poll = await createTokenPoll({ revote: 'replace' });
    for (const selections of [['1'], ['2']]) expect((await cast(poll, tokenOf('alice'), selections)).status).toBe(201);
    await expect
      .poll(async () => (await get(`${shared().url}/api/v1/polls/${poll.id}/tally`)).json)
      .toMatchObject({ total: 1, counts: [{ votes: 0 }, { votes: 1 }] });
  });

  test('tells a missing token from a wrong one, and records nothing', async () => {
    const poll = await createTokenPoll();
    const missing = await cast(poll, null);
    expect([missing.status, missing.headers.get('www-authenticate'), missing.json]).toMatchObject([
      401,
      'Bearer',
      { code: 'credential_missing', recorded: 'no' },
    ]);
    for (const token of [
      tokenOf('alice', { exp: inSeconds(-61) }),
      'x',
      forgeToken({ sub: 'a' }, { alg: 'none' }, null),
    ]) {
      const wrong = await cast(poll, token);
      expect([wrong.status, wrong.headers.get('www-authenticate'), wrong.json]).toMatchObject([
        401,
        'Bearer error="invalid_token"',
        { code: 'credential_invalid', recorded: 'no' },
      ]);
    }
    const stated = await post(`${shared().url}/api/v1/polls/${poll.id}/ballots`, {
      selections: ['1'],
      userId: 'alice',
    });
    expect(stated.status).toBe(401);
    expect(await totalOf(shared().url, poll)).toBe(0);
  });

  test('of fifty ballots that one user sends at the same time takes one', async () => {
    const poll = await createTokenPoll();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => cast(poll, tokenOf('alice', { jti: `${index}` }))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
  });

  test('takes a batch in which each line has its token, and answers in the order of the lines', async () => {
    const poll = await createTokenPoll();
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    const lines: object[] = users.map((user) => ({ selections: ['1'], token: tokenOf(user) }));
    lines[7] = { selections: ['1'], token: 'x' };
    lines[8] = { selections: ['1'] };
    lines[9] = { selections: ['2'], token: tokenOf('user-0', { jti: 'again' }) };
    const answer = await castBatch(poll, lines);
    const outcomes = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; outcome: string; code?: string });
    expect(outcomes.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
    expect(outcomes.flatMap(({ line, code }) => (code === undefined ? [] : [[line, code]]))).toEqual([
      [8, 'credential_invalid'],
      [9, 'credential_missing'],
      [10, 'ballot_already_cast'],
    ]);
    expect(await totalOf(shared().url, poll)).toBe(37);
  });

  test('has a form without a script, where the token is a field', async () => {
    const poll = await createTokenPoll();
    const page = await get(`${shared().url}/p/${poll.slug}`, { accept: 'text/html' });
    expect(page.text).toMatch(/<input[^>]+name="token"/u);
    const submit = (token: string) =>
      fetch(`${shared().url}/p/${poll.slug}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ option: '1', key: 'abc', token }),
      });
    for (const [token, status] of [
      ['', 422],
      ['x', 401],
      [`  ${tokenOf('alice')}\r\n`, 303],
    ] as const) {
      expect((await submit(token)).status).toBe(status);
    }
    expect(await totalOf(shared().url, poll)).toBe(1);
  });

  test('may know how many voters it has', async () => {
    const poll = await createTokenPoll({ electorateSize: 30 });
    expect((await get(`${shared().url}/api/v1/polls/${poll.id}`)).json).toMatchObject({
      electorate: 'token',
      electorateSize: 30,
    });
  });

  test('cannot be made where no token can be verified, nor become of another', async () => {
    const server = await startTestServer('--preset', 'none');
    const violations = [{ pointer: '/electorate', rule: 'token_not_configured' }];
    const body = { question: 'Which?', options: ['a', 'b'], electorate: 'token' };
    const made = await post(`${server.url}/api/v1/polls`, body);
    expect([made.status, made.json]).toMatchObject([422, { code: 'poll_invalid', violations }]);
    const poll = await createPoll(server.url);
    const edited = await send(
      'PATCH',
      `${server.url}/api/v1/polls/${poll.id}`,
      { electorate: 'token' },
      { 'manage-key': poll.manageKey },
    );
    expect([edited.status, edited.json]).toMatchObject([422, { code: 'poll_invalid', violations }]);
  });

  test('says so where the server has lost its keys, and takes ballots again when they are back', async () => {
    const databaseUrl = await createDatabase();
    const first = await startOn(databaseUrl, ['--preset', 'none'], { JWT_SECRET_KEY: testSecret });
    const poll = await createPoll(first.url, { electorate: 'token' });
    await first.stop();
    const vote = (url: string) =>
      post(
        `${url}/api/v1/polls/${poll.id}/ballots`,
        { selections: ['1'] },
        { authorization: `Bearer ${tokenOf('a')}` },
      );
    const second = await startOn(databaseUrl, ['--preset', 'none']);
    const refused = await vote(second.url);
    expect([refused.status, refused.headers.get('retry-after'), refused.json]).toMatchObject([
      503,
      '5',
      { code: 'tokens_unverifiable', recorded: 'no' },
    ]);
    await second.stop();
    const third = await startOn(databaseUrl, ['--preset', 'none'], { JWT_SECRET_KEY: testSecret });
    expect((await vote(third.url)).status).toBe(201);
  });
});

test('the home page offers tokens where they can be verified', async () => {
  const offer = '<option value="token"';
  expect((await get(shared().url, { accept: 'text/html' })).text).toContain(offer);
  const other = await startTestServer('--preset', 'none');
  expect((await get(other.url, { accept: 'text/html' })).text).not.toContain(offer);
});
