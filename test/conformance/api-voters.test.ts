/** Who a voter is: browsers by their cookies, users by what the client says, and the keys by which a lost answer is found again. */
import { expect, test } from 'vitest';
import { createPoll, get, post, send, type Answer, type TestPoll, type TestReceipt } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

const cookieOf = ({ headers }: Answer): string => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

function cast(
  server: TestServer,
  poll: TestPoll,
  headers: Record<string, string> = {},
  body: object = {},
): Promise<Answer> {
  return post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], ...body }, headers);
}

test('a browser whose first answer was lost is one voter, whether or not the cookie arrived', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const key = { 'idempotency-key': '"lost answer"' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => cast(server, poll, key)));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  const cookies = new Set(answers.map(cookieOf));
  expect(cookies.size).toBe(1);
  const cookie = [...cookies][0] ?? '';
  expect((await cast(server, poll, { ...key, cookie })).text).toBe(answers[0]?.text);
  expect((await cast(server, poll, { cookie })).json).toMatchObject({ code: 'ballot_already_cast' });
  await server.stop();
  const again = await startOn(server.databaseUrl, ['--preset', 'none']);
  expect((await cast(again, poll, key)).text).toBe(answers[0]?.text);
  expect((await cast(again, poll, { cookie, 'idempotency-key': 'other' })).status).toBe(409);
  expect(await again.query('select 1 from ballots')).toHaveLength(1);
});

test('a cookie of another installation, a broken one and none at all are new browsers, and never a 5xx', async () => {
  const server = await startTestServer('--preset', 'none');
  const elsewhere = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'cookie', visibility: 'after_vote' });
  const foreign = cookieOf(await cast(elsewhere, await createPoll(elsewhere.url, { electorate: 'cookie' })));
  const own = cookieOf(await cast(server, poll));
  const broken = [
    '',
    foreign,
    own.slice(0, -1),
    own.replace('voter_id=', 'voter_id=x'),
    'voter_id',
    'voter_id=',
    'voter_id=%ZZ',
    'voter_id=%E0%A4%A',
    'voter_id=%00',
    '__proto__=x; constructor=y',
    `voter_id=${'x'.repeat(8_000)}`,
    ';;;===,,,',
  ];
  for (const cookie of broken) {
    const answer = await cast(server, poll, { cookie });
    expect([cookie, answer.status]).toEqual([cookie, 201]);
    expect(cookieOf(answer)).toMatch(/^voter_id=./u);
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`, { cookie })).status).toBe(403);
  }
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`, { cookie: own })).json).toMatchObject({
    total: broken.length + 1,
  });
});

test('one browser votes once in each poll, and its ballots cannot be told to be of one voter', async () => {
  const server = await startTestServer('--preset', 'none');
  const polls = [
    await createPoll(server.url, { electorate: 'cookie' }),
    await createPoll(server.url, { electorate: 'cookie' }),
  ];
  let cookie = '';
  for (const poll of polls) {
    const answer = await cast(server, poll, { cookie, 'idempotency-key': 'same' });
    expect(answer.status).toBe(201);
    cookie ||= cookieOf(answer);
  }
  const rows = await server.query<{ row: string; voter_key: string; retry_key: string }>(
    'select ballots::text as row, voter_key, retry_key from ballots',
  );
  expect(new Set(rows.map((row) => row.voter_key)).size).toBe(2);
  expect(new Set(rows.map((row) => row.retry_key)).size).toBe(2);
  const secret = decodeURIComponent(cookie.replace('voter_id=', '')).split('.')[0] ?? '';
  expect(secret.length).toBeGreaterThanOrEqual(22);
  for (const { row } of rows) expect(row).not.toContain(secret);
});

test('users are told apart to the character, and no user is written into the ledger', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const users = [
    'alice',
    'Alice',
    'alice ',
    ' alice',
    'alicé',
    'alice\u0301',
    'alicе',
    '1',
    '01',
    'null',
    '{}',
    '\n',
    "a' or '1'='1",
  ];
  for (const userId of users)
    expect([userId, (await cast(server, poll, {}, { userId })).status]).toEqual([userId, 201]);
  for (const userId of users)
    expect([userId, (await cast(server, poll, {}, { userId })).status]).toEqual([userId, 409]);
  const rows = await server.query<{ row: string }>('select ballots::text as row from ballots');
  expect(rows).toHaveLength(users.length);
  for (const { row } of rows) expect(row).not.toMatch(/alice/iu);
  expect((await cast(server, poll)).json).toMatchObject({ code: 'credential_missing', status: 401 });
});

test('a key is the same with and without quotes, belongs to its voter, and is text of up to 255 characters', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const first = await cast(server, poll, { 'idempotency-key': 'k' }, { userId: 'a' });
  expect((await cast(server, poll, { 'idempotency-key': '"k"' }, { userId: 'a' })).text).toBe(first.text);
  const other = await cast(server, poll, { 'idempotency-key': 'k' }, { userId: 'b' });
  expect([other.status, (other.json as TestReceipt).ballotId === (first.json as TestReceipt).ballotId]).toEqual([
    201,
    false,
  ]);
  for (const [key, status] of [
    ['x'.repeat(255), 201],
    [`"${'x'.repeat(255)}"`, 201],
    ['x'.repeat(256), 400],
    [`"${'x'.repeat(256)}"`, 400],
    ['""', 400],
    ['"', 400],
    ['é', 400],
    ['a\tb', 400],
    ['a b', 201],
  ] as const) {
    const answer = await cast(
      server,
      poll,
      { 'idempotency-key': key },
      { userId: `user of ${key.slice(0, 9)} ${key.length}` },
    );
    expect([key, answer.status]).toEqual([key, status]);
    if (status === 400) expect(answer.json).toMatchObject({ code: 'request_malformed', recorded: 'no' });
  }
});

test('the receipt of a superseded ballot stays the same to the byte: after later ballots, the close and a restart', async () => {
  const first = await startTestServer('--preset', 'none');
  const poll = await createPoll(first.url, { revote: 'replace', options: ['a', 'b', 'c'] });
  const change = (server: TestServer, key: string, option: string) =>
    cast(server, poll, { 'idempotency-key': key }, { selections: [option], userId: 'u' });
  const answers = new Map<string, string>();
  for (const [key, option] of [
    ['k1', '1'],
    ['k2', '2'],
    ['k3', '3'],
    ['k4', '1'],
  ] as const) {
    answers.set(key, (await change(first, key, option)).text);
  }
  const expectSame = async (server: TestServer) => {
    for (const [key, option] of [
      ['k1', '1'],
      ['k3', '3'],
      ['k4', '1'],
      ['k2', '2'],
    ] as const) {
      expect((await change(server, key, option)).text).toBe(answers.get(key));
    }
    expect((await change(server, 'k1', '2')).json).toMatchObject({ code: 'idempotency_key_reused' });
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({
      total: 1,
      version: 4,
      counts: [{ votes: 1 }, { votes: 0 }, { votes: 0 }],
    });
  };
  await expectSame(first);
  await post(`${first.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  await expectSame(first);
  expect((await change(first, 'k5', '2')).json).toMatchObject({ code: 'poll_closed' });
  await first.stop();
  await expectSame(await startOn(first.databaseUrl, ['--preset', 'none']));
});

test('selections are counted by the limits that the poll had when they came', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { options: ['a', 'b', 'c', 'd'], selections: { min: 2, max: 3 } });
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  for (const [selections, rules] of [
    [['1'], ['undervote']],
    [['1', '2', '3', '4'], ['overvote']],
    [['1', '1'], ['option_repeated']],
    [['9', '1'], ['option_unknown']],
    [[], ['undervote']],
    [
      ['9', '9', '9', '9'],
      ['option_unknown', 'option_unknown', 'option_unknown', 'option_unknown', 'overvote'],
    ],
  ] as const) {
    const answer = await cast(server, poll, {}, { selections, userId: 'u' });
    const violations = (answer.json as { violations: { rule: string }[] }).violations.map(({ rule }) => rule);
    expect([selections, answer.status, violations]).toEqual([selections, 422, rules]);
  }
  const edit = await send('PATCH', path, { selections: { min: 0, max: 4 } }, { 'manage-key': poll.manageKey });
  expect(edit.status).toBe(200);
  for (const [userId, selections] of [
    ['all', ['4', '3', '2', '1']],
    ['blank', []],
    ['one', ['2']],
  ] as const) {
    expect((await cast(server, poll, {}, { selections, userId })).status).toBe(201);
  }
  expect((await get(`${path}/tally`)).json).toMatchObject({
    total: 3,
    lastTenMinutes: 5,
    counts: [{ votes: 1 }, { votes: 2 }, { votes: 1 }, { votes: 1 }],
  });
});
