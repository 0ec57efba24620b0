/** Polls that hide their results give away no count, order or timing on any surface. */
import { expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll, type TestReceipt } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

const visibilities = ['after_close', 'manager'] as const;

function cast(server: TestServer, poll: TestPoll, userId: string, headers = {}, option = '2') {
  return post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [option], userId }, headers);
}

/** Every answer about the poll that somebody without its key can get. */
async function surfaces(server: TestServer, poll: TestPoll, receipt: TestReceipt): Promise<string[]> {
  const paths = [
    '/',
    `/api/v1/polls/${poll.id}`,
    `/api/v1/polls/${poll.slug}`,
    `/api/v1/polls/${poll.id}/tally`,
    `/api/v1/polls/${poll.id}/tally?ballot=${receipt.ballotId}`,
    `/api/v1/polls/${poll.id}/log`,
    `/api/v1/polls?joinCode=${poll.joinCode}`,
    '/api/v1/polls',
    '/api/v1/leaderboard?limit=100',
    '/api/v1/leaderboard?limit=100&window=last_ten_minutes',
    '/polls',
    `/polls/${poll.id}`,
    '/leaderboard?limit=100',
    '/result',
    '/',
    `/p/${poll.slug}/results`,
    `/p/${poll.slug}/present`,
    `/p/${poll.slug}/manage`,
  ];
  const seen: string[] = [];
  for (const accept of ['application/json', 'text/html']) {
    for (const path of paths) {
      const { status, headers, text } = await get(`${server.url}${path}`, { accept });
      const told = text
        .replaceAll(/urn:request:[\w-]+/gu, '')
        .replaceAll(/"(?:asOf|timestamp)":"[^"]+"|"nowMs":\d+|[\d:.]+ UTC|figures from [\d:]+/gu, '');
      seen.push(`${path} ${status} ${headers.get('etag')} ${headers.get('last-modified')} ${told}`);
    }
  }
  return seen;
}

test.for(visibilities)(
  'with results shown %s nothing that anybody sees changes when ballots are counted',
  async (visibility) => {
    const server = await startTestServer('--preset', 'none');
    const poll = await createPoll(server.url, { visibility, revote: 'replace' });
    const board = await createPoll(server.url, { visibility, electorate: 'open', slug: 'features' });
    const first = (await cast(server, poll, 'first')).json as TestReceipt;
    const before = await surfaces(server, poll, first);
    for (let user = 0; user < 20; user += 1) {
      const { json } = await cast(server, poll, `user ${user}`, { 'idempotency-key': `key ${user}` });
      expect((json as TestReceipt).version).toBeNull();
      await post(`${server.url}/vote`, { feature_id: 2 });
      await post(`${server.url}/polls/${board.id}/vote`, { user_id: 'u', option_id: '1' });
    }
    expect(await surfaces(server, poll, first)).toEqual(before);
    expect(await surfaces(server, board, first)).toHaveLength(before.length);
  },
);

test('a hidden feature board takes votes and does not show them', async () => {
  const server = await startTestServer('--preset', 'none');
  await createPoll(server.url, { visibility: 'after_close', electorate: 'open', slug: 'features' });
  const vote = await post(`${server.url}/vote`, { feature_id: 1 });
  expect([vote.status, vote.text]).toEqual([200, '{"success":true,"message":"Voted successfully"}']);
  const result = await get(`${server.url}/result`);
  expect([result.status, result.json]).toMatchObject([403, { code: 'results_hidden' }]);
});

test('the receipt of a hidden poll shows no version, on no way to get it', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const visibility of visibilities) {
    for (const revote of ['refuse', 'replace']) {
      const poll = await createPoll(server.url, { visibility, revote });
      const key = { 'idempotency-key': 'k' };
      const first = await cast(server, poll, 'a', key);
      expect(first.json).toMatchObject({ version: null });
      expect((await cast(server, poll, 'a', key)).text).toBe(first.text);
      const line = { selections: ['1'], userId: 'b' };
      const batch = await post(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, line, {
        'content-type': 'application/x-ndjson',
      });
      expect(batch.json).toMatchObject({ outcome: 'counted', version: null });
      const status = await get(`${server.url}/api/v1/ballots/${(first.json as TestReceipt).ballotId}`);
      expect(Object.keys(status.json as object).sort()).toEqual([
        'ballotId',
        'castAt',
        'pollId',
        'processing',
        'status',
      ]);
      await send(
        'PATCH',
        `${server.url}/api/v1/polls/${poll.id}`,
        { visibility: 'always' },
        { 'manage-key': poll.manageKey },
      );
      expect((await cast(server, poll, 'a', key)).text).toBe(first.text);
    }
  }
});

test('a condition on the tag does not open a hidden tally, and a tag does not outlive its poll’s rules', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  await cast(server, poll, 'a');
  const etag = (await get(`${path}/tally`)).headers.get('etag') ?? '';
  for (const tag of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
    expect([tag, (await get(`${path}/tally`, { 'if-none-match': tag })).status]).toEqual([tag, 304]);
  }
  for (const tag of ['"other"', '', 'W/"', etag.slice(0, -2)]) {
    expect([tag, (await get(`${path}/tally`, { 'if-none-match': tag })).status]).toEqual([tag, 200]);
  }
  await send('PATCH', path, { visibility: 'after_close' }, { 'manage-key': poll.manageKey });
  for (const tag of [etag, '*']) {
    const answer = await get(`${path}/tally`, { 'if-none-match': tag });
    expect([answer.status, answer.headers.get('etag'), answer.headers.get('cache-control')]).toEqual([
      403,
      null,
      'no-store',
    ]);
  }
});

test('a poll that begins to hide its results leaves the leaderboards, and one that is closed, too', async () => {
  const server = await startTestServer('--preset', 'none');
  const [hides, closes, pauses, stays] = [
    await createPoll(server.url),
    await createPoll(server.url),
    await createPoll(server.url),
    await createPoll(server.url),
  ];
  await send(
    'PATCH',
    `${server.url}/api/v1/polls/${hides.id}`,
    { visibility: 'after_vote' },
    { 'manage-key': hides.manageKey },
  );
  for (const [poll, step] of [
    [closes, 'close'],
    [pauses, 'pause'],
  ] as const) {
    await post(`${server.url}/api/v1/polls/${poll.id}/${step}`, '', { 'manage-key': poll.manageKey });
  }
  for (const path of ['/api/v1/leaderboard', '/leaderboard']) {
    await expect
      .poll(async () => {
        const { text } = await get(`${server.url}${path}`);
        return [hides, closes, pauses, stays].map(({ id }) => text.includes(id));
      })
      .toEqual([false, false, false, true]);
  }
});

test('a leaderboard that was shown a moment ago does not show what has been hidden since', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const path of ['/api/v1/leaderboard', '/leaderboard']) {
    const poll = await createPoll(server.url);
    const isShown = async () => (await get(`${server.url}${path}`)).text.includes(poll.id);
    await expect.poll(isShown).toBe(true);
    const hiding = { visibility: 'manager' };
    await send('PATCH', `${server.url}/api/v1/polls/${poll.id}`, hiding, { 'manage-key': poll.manageKey });
    expect(await isShown()).toBe(false);
  }
});

test('the manager sees what is hidden, and nobody else by another key', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { visibility: 'manager' });
  const other = await createPoll(server.url, { visibility: 'manager' });
  await cast(server, poll, 'a');
  await server.stop();
  const again = await startOn(server.databaseUrl, ['--preset', 'none']);
  const path = `${again.url}/api/v1/polls/${poll.id}/tally`;
  const seen = await get(path, { 'manage-key': poll.manageKey });
  expect([seen.json, seen.headers.get('cache-control')]).toMatchObject([{ total: 1 }, 'private, no-store']);
  for (const key of [other.manageKey, '', 'manage_', `${poll.manageKey} `.repeat(2)]) {
    expect((await get(path, { 'manage-key': key })).status).toBe(403);
  }
});
