import { expect, test } from 'vitest';
import { createPoll, get, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

async function cast(server: TestServer, poll: TestPoll, userId: string, option = '1'): Promise<TestReceipt> {
  return (await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [option], userId }))
    .json as TestReceipt;
}

const tallyOf = (server: TestServer, poll: TestPoll, query = '', headers = {}) =>
  get(`${server.url}/api/v1/polls/${poll.id}/tally${query}`, headers);

test('a new tally is zero, and each acknowledged ballot is in the next read', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  expect((await tallyOf(server, poll)).json).toEqual({
    pollId: poll.id,
    epoch: expect.stringMatching(/^[\da-f]{16}$/u),
    status: 'open',
    version: 0,
    total: 0,
    turnout: null,
    counts: [
      { optionId: '1', votes: 0, lastTenMinutes: 0 },
      { optionId: '2', votes: 0, lastTenMinutes: 0 },
    ],
    lastTenMinutes: 0,
    votesPerSecond: 0,
  });
  for (let count = 1; count <= 20; count += 1) {
    const { version } = await cast(server, poll, `user-${count}`, '2');
    expect((await tallyOf(server, poll)).json).toMatchObject({ total: count, version: count });
    expect(version).toBe(count);
  }
});

test('an unchanged tally is not sent twice, and shared caches keep it for a second', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const first = await tallyOf(server, poll);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^W\//u);
  expect(first.headers.get('cache-control')).toBe('public, max-age=1');
  const same = await tallyOf(server, poll, '', { 'if-none-match': etag });
  expect([same.status, same.text]).toEqual([304, '']);
  await cast(server, poll, 'u');
  expect((await tallyOf(server, poll, '', { 'if-none-match': etag })).status).toBe(200);
});

test.for(['after_vote', 'after_close', 'manager'] as const)(
  'results shown %s are hidden on every surface until then',
  async (visibility) => {
    const server = await startTestServer('--preset', 'none');
    const poll = await createPoll(server.url, { visibility });
    const receipt = await cast(server, poll, 'alice');
    const hidden = await tallyOf(server, poll);
    expect([hidden.status, hidden.json]).toMatchObject([403, { code: 'results_hidden' }]);
    expect(hidden.headers.get('etag')).toBeNull();
    expect(receipt.version).toBe(visibility === 'after_vote' ? 1 : null);
    for (const path of [`/polls/${poll.id}`, '/polls']) {
      expect((await get(`${server.url}${path}`)).text).not.toMatch(/"(?:total_votes|vote_count)":\d/u);
    }
    for (const path of ['/api/v1/leaderboard', '/leaderboard', '/api/v1/leaderboard?window=last_ten_minutes']) {
      expect((await get(`${server.url}${path}`)).text).not.toContain(poll.id);
    }
    expect((await tallyOf(server, poll, `?ballot=${receipt.ballotId}`)).status).toBe(
      visibility === 'after_vote' ? 200 : 403,
    );
    const other = await createPoll(server.url, { visibility });
    expect((await tallyOf(server, other, `?ballot=${receipt.ballotId}`)).status).toBe(403);
    const seen = await tallyOf(server, poll, '', { 'manage-key': poll.manageKey });
    expect([seen.json, seen.headers.get('cache-control')]).toMatchObject([{ total: 1 }, 'private, no-store']);
    await post(`${server.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
    expect((await tallyOf(server, poll)).status).toBe(visibility === 'manager' ? 403 : 200);
  },
);

test('a browser that has voted sees what shows after voting', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { visibility: 'after_vote', electorate: 'cookie' });
  const voted = await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  const [cookie = ''] = (voted.headers.get('set-cookie') ?? '').split(';');
  expect((await tallyOf(server, poll, '', { cookie })).json).toMatchObject({ total: 1 });
  expect((await tallyOf(server, poll, '', { cookie: 'voter_id=somebody' })).status).toBe(403);
});

test('the leaderboard has open listed polls only, over all time or ten minutes', async () => {
  const server = await startTestServer('--preset', 'none');
  const first = await createPoll(server.url);
  const unlisted = await createPoll(server.url, { listed: false });
  const closed = await createPoll(server.url);
  for (const poll of [first, unlisted, closed]) await cast(server, poll, 'u', '2');
  await post(`${server.url}/api/v1/polls/${closed.id}/close`, '', { 'manage-key': closed.manageKey });
  for (const window of ['all', 'last_ten_minutes']) {
    await expect
      .poll(async () => (await get(`${server.url}/api/v1/leaderboard?window=${window}`)).json)
      .toMatchObject({
        window,
        entries: [
          { pollId: first.id, optionId: '2', votes: 1 },
          { pollId: first.id, optionId: '1', votes: 0 },
        ],
      });
  }
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'window=year']) {
    expect((await get(`${server.url}/api/v1/leaderboard?${query}`)).status).toBe(400);
  }
});

test('a restart shows the same tally without counting the ballots again', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { revote: 'replace' });
  for (let user = 0; user < 30; user += 1) await cast(server, poll, `u${user % 20}`, String(1 + (user % 2)));
  const before = (await tallyOf(server, poll)).json as { votesPerSecond: number };
  await server.stop();
  const again = await startOn(server.databaseUrl, ['--preset', 'none']);
  const { votesPerSecond: _moves, ...after } = (await tallyOf(again, poll)).json as { votesPerSecond: number };
  expect(before).toMatchObject(after);
});
