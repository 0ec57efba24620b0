import { expect, test } from 'vitest';
import { createPoll, get, hostileBodies, post, type TestReceipt } from '../support/http.ts';
import { startOn, startTestServer } from '../support/server.ts';

test('a receipt says where the ballot stands, and a retry gets it again, after a close and a restart too', async () => {
  const first = await startTestServer('--preset', 'none');
  const poll = await createPoll(first.url);
  const cast = (url: string, key: string, option = '1') =>
    post(
      `${url}/api/v1/polls/${poll.id}/ballots`,
      { selections: [option], userId: 'alice' },
      { 'idempotency-key': key },
    );
  const answer = await cast(first.url, '"one"');
  const receipt = answer.json as TestReceipt;
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`/api/v1/ballots/${receipt.ballotId}`);
  expect(receipt).toEqual({ ballotId: expect.any(String), pollId: poll.id, castAt: expect.any(String), version: 1 });
  expect((await cast(first.url, 'one')).text).toBe(answer.text);
  expect((await cast(first.url, 'two')).json).toMatchObject({
    status: 409,
    code: 'ballot_already_cast',
    ballotId: receipt.ballotId,
  });
  expect((await cast(first.url, 'one', '2')).json).toMatchObject({
    status: 422,
    code: 'idempotency_key_reused',
    recorded: 'no',
  });
  await post(`${first.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  expect((await cast(first.url, 'one')).text).toBe(answer.text);
  await first.stop();
  const second = await startOn(first.databaseUrl);
  expect((await cast(second.url, '"one"')).text).toBe(answer.text);
  expect((await get(`${second.url}/api/v1/ballots/${receipt.ballotId}`)).json).toEqual({
    ballotId: receipt.ballotId,
    pollId: poll.id,
    castAt: receipt.castAt,
    status: 'counted',
    processing: 'processed',
  });
});

test('a changed mind counts once, the window follows, and the first receipt stays what it was', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { revote: 'replace' });
  const cast = (option: string, key: string) =>
    post(
      `${server.url}/api/v1/polls/${poll.id}/ballots`,
      { selections: [option], userId: 'alice' },
      { 'idempotency-key': key },
    );
  const first = await cast('1', 'k1');
  const second = await cast('2', 'k2');
  expect([first.status, second.status]).toEqual([201, 201]);
  expect((await cast('1', 'k1')).text).toBe(first.text);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({
    version: 2,
    total: 1,
    lastTenMinutes: 1,
    counts: [
      { votes: 0, lastTenMinutes: 0 },
      { votes: 1, lastTenMinutes: 1 },
    ],
  });
  const status = async ({ json }: { json: unknown }) =>
    ((await get(`${server.url}/api/v1/ballots/${(json as TestReceipt).ballotId}`)).json as { status: string }).status;
  expect([await status(first), await status(second)]).toEqual(['superseded', 'counted']);
});

test('a browser votes once, a forged cookie is a new browser, and a lost answer is found again by its key', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const cast = (headers: Record<string, string> = {}) =>
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] }, headers);
  const first = await cast();
  const [cookie = ''] = (first.headers.get('set-cookie') ?? '').split(';');
  expect(first.headers.get('set-cookie')).toMatch(
    /^voter_id=[^;]+; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/u,
  );
  expect((await cast({ cookie })).json).toMatchObject({ code: 'ballot_already_cast' });
  expect((await cast({ cookie })).headers.get('set-cookie')).toBeNull();
  expect((await cast({ cookie: `${cookie}x` })).status).toBe(201);
  expect((await cast({ cookie: 'voter_id=made-up' })).headers.get('set-cookie')).toContain('voter_id=');
  const lost = await cast({ 'idempotency-key': 'lost' });
  const again = await cast({ 'idempotency-key': 'lost' });
  expect([again.text, again.headers.get('set-cookie')]).toEqual([lost.text, lost.headers.get('set-cookie')]);
});

test('an open poll counts every request, a key once, and a key with other selections not at all', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'open' });
  const cast = (option: string, headers: Record<string, string> = {}) =>
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [option] }, headers);
  for (let index = 0; index < 3; index += 1) expect((await cast('1')).status).toBe(201);
  const keyed = await cast('2', { 'idempotency-key': 'k' });
  expect((await cast('2', { 'idempotency-key': 'k' })).text).toBe(keyed.text);
  expect((await cast('1', { 'idempotency-key': 'k' })).status).toBe(422);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 4, version: 4 });
});

test.for<[selections: string[], rules: string[]]>([
  [['9'], ['option_unknown']],
  [['1', '1'], ['option_repeated']],
  [['1', '2', '3'], ['overvote']],
  [[], ['undervote']],
])('the selections %j are refused by name', async ([selections, rules]) => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { options: ['a', 'b', 'c'], selections: { min: 1, max: 2 } });
  const answer = await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections, userId: 'u' });
  expect([answer.status, answer.json]).toMatchObject([422, { code: 'ballot_invalid', recorded: 'no' }]);
  expect((answer.json as { violations: { rule: string }[] }).violations.map(({ rule }) => rule)).toEqual(rules);
  expect(await server.query('select 1 from ballots')).toEqual([]);
});

test('approval ballots count each selection, and a blank ballot counts as one of none', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, {
    options: ['a', 'b', 'c'],
    selections: { min: 0, max: 3 },
    electorateSize: 4,
  });
  const cast = (userId: string, selections: string[]) =>
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections, userId });
  await cast('u1', ['3', '1']);
  await cast('u2', ['1', '2', '3']);
  await cast('u3', []);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({
    total: 3,
    turnout: 0.75,
    version: 3,
    lastTenMinutes: 5,
    counts: [{ votes: 2 }, { votes: 1 }, { votes: 2 }],
  });
});

test.for(hostileBodies)('%s is no ballot and leaves nothing behind', async ([, body]) => {
  const server = await startTestServer();
  const answer = await post(`${server.url}/api/v1/polls/features/ballots`, body);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.json).toMatchObject({ recorded: 'no' });
  expect(await server.query('select 1 from ballots')).toEqual([]);
});

test('what is no key, no poll, no user or no JSON is told apart', async () => {
  const server = await startTestServer();
  const declared = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/features/ballots`;
  const body = { selections: ['1'] };
  expect((await post(path, body, { 'idempotency-key': 'k'.repeat(256) })).json).toMatchObject({
    code: 'request_malformed',
  });
  expect((await post(path, body, { 'idempotency-key': '""' })).status).toBe(400);
  expect((await post(`${server.url}/api/v1/polls/nowhere/ballots`, body)).json).toMatchObject({
    code: 'poll_not_found',
    status: 404,
  });
  expect((await post(`${server.url}/api/v1/polls/${declared.id}/ballots`, body)).json).toMatchObject({
    code: 'credential_missing',
    status: 401,
  });
  expect((await post(`${server.url}/api/v1/polls/${declared.id}/ballots`, { ...body, userId: '\ud800' })).status).toBe(
    400,
  );
  expect(
    (await post(path, 'selections=1', { 'content-type': 'application/x-www-form-urlencoded' })).json,
  ).toMatchObject({ code: 'media_type_unsupported' });
  expect((await post(path, { selections: ['1'], padding: 'x'.repeat(20_000) })).json).toMatchObject({
    code: 'body_too_large',
    status: 413,
  });
  for (const id of ['nonsense', '00000000-0000-4000-8000-000000000000']) {
    expect((await get(`${server.url}/api/v1/ballots/${id}`)).json).toMatchObject({ code: 'ballot_not_found' });
  }
});

test('at the limit of waiting ballots the server says so at once and records nothing of the refused', async () => {
  const server = await startTestServer(
    '--ballots-waiting-max',
    '5',
    '--batch-ballots-max',
    '1',
    '--recorder-lanes',
    '1',
  );
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => post(`${server.url}/api/v1/polls/features/ballots`, { selections: ['1'] })),
  );
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, headers, json } of refused) {
    expect([status, headers.get('retry-after'), json]).toMatchObject([
      503,
      '1',
      { code: 'ingest_log_full', recorded: 'no' },
    ]);
  }
  expect(await server.query('select 1 from ballots')).toHaveLength(answers.length - refused.length);
});
