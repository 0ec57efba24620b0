import { expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll } from '../support/http.ts';
import { shareTestServer, startOn, startTestServer, type TestServer } from '../support/server.ts';

const shared = shareTestServer('--preset', 'none');
const cast = (server: TestServer, poll: TestPoll, userId: string, option = '1') =>
  post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [option], userId });
const remove = (server: TestServer, poll: TestPoll, question = 'Tea or coffee?', key = poll.manageKey) =>
  send('DELETE', `${server.url}/api/v1/polls/${poll.id}`, { question }, { 'manage-key': key });

test('a poll is deleted with everything of it, and only by its manager who repeats the question', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { revote: 'replace' });
  const other = await createPoll(server.url);
  const { ballotId } = (await cast(server, poll, 'alice')).json as { ballotId: string };
  await cast(server, poll, 'alice', '2');
  await cast(server, other, 'alice');
  expect((await remove(server, poll, 'Another?')).status).toBe(422);
  expect((await remove(server, poll, 'Tea or coffee?', 'manage_wrong')).status).toBe(403);
  expect(
    (await send('DELETE', `${server.url}/api/v1/polls/${poll.id}`, {}, { 'manage-key': poll.manageKey })).status,
  ).toBe(400);
  expect((await remove(server, poll)).status).toBe(204);
  for (const path of ['', '/tally', '/series', '/log', '/events']) {
    expect([path, (await get(`${server.url}/api/v1/polls/${poll.id}${path}`)).status]).toEqual([path, 404]);
  }
  expect((await cast(server, poll, 'bob')).status).toBe(404);
  expect((await get(`${server.url}/api/v1/ballots/${ballotId}`)).status).toBe(404);
  expect((await remove(server, poll)).status).toBe(404);
  const left = async () => (await server.query('select poll_no from deleted_polls')).length;
  await expect.poll(left).toBe(0);
  const rows = await server.query<{ table: string; polls: number }>(`
    select 'ballots' as table, count(distinct poll_no)::integer as polls from ballots
    union all select 'history', count(distinct poll_no)::integer from ballot_history
    union all select 'tallies', count(distinct poll_no)::integer from tallies
    union all select 'seconds', count(distinct poll_no)::integer from tally_seconds
    union all select 'options', count(distinct poll_no)::integer from options
    order by 1`);
  expect(rows.map(({ table, polls }) => [table, polls])).toEqual([
    ['ballots', 1],
    ['history', 0],
    ['options', 1],
    ['seconds', 1],
    ['tallies', 1],
  ]);
  expect((await get(`${server.url}/api/v1/polls/${other.id}/tally`)).json).toMatchObject({ total: 1 });
});

test('ballots that are on their way to a poll that is deleted are counted or find no poll', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const casts = Array.from({ length: 200 }, (_, voter) => cast(server, poll, `voter-${voter}`));
  const removed = await remove(server, poll);
  expect(removed.status).toBe(204);
  const statuses = new Set((await Promise.all(casts)).map(({ status }) => status));
  expect([...statuses].every((status) => status === 201 || status === 404)).toBe(true);
  await expect.poll(async () => (await server.query('select from ballots')).length).toBe(0);
});

test('a poll that one server deletes is gone at the other, and a next start finishes what was left', async () => {
  const one = await startTestServer('--preset', 'none');
  const two = await startOn(one.databaseUrl, ['--preset', 'none']);
  const poll = await createPoll(one.url);
  await cast(one, poll, 'alice');
  await expect.poll(async () => (await get(`${two.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(200);
  await remove(one, poll);
  await expect.poll(async () => (await get(`${two.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(404);
  await one.query('insert into deleted_polls (poll_no) values (4711)');
  await startOn(one.databaseUrl, ['--preset', 'none']);
  await expect.poll(async () => (await one.query('select from deleted_polls')).length).toBe(0);
});

test('an export holds the counts, the shares and the ballots, and nobody who cast them', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { question: 'Export?', options: ['=1+1', 'say "hi", Bob'] });
  for (const [voter, option] of [
    ['alice', '1'],
    ['bob', '2'],
    ['carol', '2'],
  ] as const)
    await cast(server, poll, voter, option);
  const take = (format: string, headers: Record<string, string> = { 'manage-key': poll.manageKey }) =>
    get(`${server.url}/api/v1/polls/${poll.id}/export?format=${format}`, headers);
  expect((await take('csv', {})).status).toBe(401);
  expect((await take('xlsx')).status).toBe(400);
  const csv = await take('csv');
  expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="${poll.slug}.csv"`);
  expect(csv.text).toBe('option_id,option,votes,percent\r\n1,\'=1+1,1,33.3\r\n2,"say ""hi"", Bob",2,66.7\r\n');
  const lines = (await take('ballots')).text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { ballotId: string; selections: string[] }); // The shape is checked below.
  expect((await take('json')).json).toMatchObject({
    poll: { question: 'Export?' },
    tally: { total: 3 },
    ballots: lines,
  });
  expect(lines.map(({ selections }) => Number(selections[0])).toSorted((a, b) => a - b)).toEqual([1, 2, 2]);
  expect(Object.keys(lines[0] ?? {}).toSorted()).toEqual(['ballotId', 'castAt', 'selections']);
});

test('an export of a poll without ballots is whole, and one of many has each of them once', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/api/v1/polls/${poll.id}`;
  const take = (format: string) => get(`${url}/export?format=${format}`, { 'manage-key': poll.manageKey });
  expect((await take('json')).json).toMatchObject({ tally: { total: 0 }, ballots: [] });
  expect((await take('ballots')).text).toBe('');
  // More than two pages of the reading.
  const line = `${JSON.stringify({ selections: ['2'] })}\n`;
  const sent = await send('POST', `${url}/ballots:batch`, line.repeat(4_500), {
    'content-type': 'application/x-ndjson',
    'manage-key': poll.manageKey,
  });
  expect(sent.status).toBe(200);
  const { ballots } = (await take('json')).json as { ballots: { ballotId: string }[] }; // Checked above.
  expect(new Set(ballots.map(({ ballotId }) => ballotId)).size).toBe(4_500);
  expect((await take('ballots')).text.trim().split('\n')).toHaveLength(4_500);
});

test('a logo is a small picture by its bytes, shown under the address of the poll', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  const put = (body: Buffer, headers: Record<string, string> = { 'manage-key': poll.manageKey }) =>
    fetch(`${server.url}/api/v1/polls/${poll.id}/logo`, { method: 'PUT', body: new Uint8Array(body), headers });
  const png = Buffer.concat([Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'), Buffer.alloc(100)]);
  expect((await put(png, {})).status).toBe(401);
  expect((await put(Buffer.from('<svg onload="alert(1)"/>'))).status).toBe(415);
  expect((await put(Buffer.alloc(0))).status).toBe(415);
  expect((await put(Buffer.concat([png, Buffer.alloc(70_000)]))).status).toBe(413);
  expect((await get(`${server.url}/p/${poll.slug}/logo`)).status).toBe(404);
  expect(await (await put(png)).json()).toMatchObject({ hasLogo: true, revision: 2 });
  const logo = await fetch(`${server.url}/p/${poll.slug}/logo`);
  expect([logo.headers.get('content-type'), logo.headers.get('x-content-type-options')]).toEqual([
    'image/png',
    'nosniff',
  ]);
  expect(logo.headers.get('content-security-policy')).toContain('sandbox');
  expect(Buffer.from(await logo.arrayBuffer()).equals(png)).toBe(true);
  expect(
    (await send('DELETE', `${server.url}/api/v1/polls/${poll.id}/logo`, undefined, { 'manage-key': poll.manageKey }))
      .json,
  ).toMatchObject({ hasLogo: false });
});

test('the manage key is exchanged for a cookie that works for pages of ours alone', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { visibility: 'manager' });
  const session = `${server.url}/api/v1/polls/${poll.id}/manage-session`;
  expect((await send('POST', session, undefined, { 'manage-key': 'manage_wrong' })).status).toBe(403);
  const exchanged = await send('POST', session, undefined, { 'manage-key': poll.manageKey });
  const setCookie = exchanged.headers.get('set-cookie') ?? '';
  expect(exchanged.status).toBe(204);
  expect(setCookie).toMatch(/^manages=[\w-]{22}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/u);
  expect(setCookie).not.toContain(poll.manageKey);
  const cookie = setCookie.split(';', 1)[0] ?? '';
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`, { cookie })).json).toMatchObject({ total: 0 });
  const close = (headers: Record<string, string>) =>
    send('POST', `${server.url}/api/v1/polls/${poll.id}/close`, undefined, { cookie, ...headers });
  for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    expect((await close(headers as Record<string, string>)).json).toMatchObject({ code: 'origin_forbidden' });
  }
  expect((await close({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  const reopen = { cookie, origin: server.url };
  expect((await post(`${server.url}/api/v1/polls/${poll.id}/reopen`, undefined, reopen)).status).toBe(200);
  const inBody = await post(session, { manageKey: poll.manageKey });
  expect([inBody.status, inBody.headers.get('set-cookie')]).toEqual([204, setCookie]);
  expect((await post(session, { manageKey: 'manage_wrong' })).status).toBe(403);
  expect((await post(session, {})).status).toBe(401);
  const forgotten = await send('DELETE', session, undefined, { cookie });
  expect(forgotten.headers.get('set-cookie')).toContain('Max-Age=0');
});

test('over HTTPS every cookie is Secure and bound to the host', async () => {
  const server = await startTestServer('--preset', 'none', '--public-url', 'https://vote.example');
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const { headers } = await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  expect(headers.get('set-cookie')).toMatch(
    /^__Host-voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/u,
  );
});

test('what a manager sees of the health of a poll is what happened', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  await cast(server, poll, 'alice');
  await cast(server, poll, 'alice');
  await cast(server, poll, 'alice', '2');
  await post(`${server.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
  await cast(server, poll, 'bob');
  const health = await get(`${server.url}/api/v1/polls/${poll.id}/health`, { 'manage-key': poll.manageKey });
  expect(health.json).toEqual({ accepted: 1, duplicatesRefused: 2, late: 1, waiting: 0, lagMs: 0 });
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/health`)).status).toBe(401);
});

test('results are hidden and shown at any time, those of a closed poll too', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  await cast(server, poll, 'alice');
  const url = `${server.url}/api/v1/polls/${poll.id}`;
  const headers = { 'manage-key': poll.manageKey };
  for (const close of [false, true]) {
    if (close) expect((await post(`${url}/close`, undefined, headers)).status).toBe(200);
    for (const [visibility, status] of [
      ['manager', 403],
      ['always', 200],
    ] as const) {
      expect((await send('PATCH', url, { visibility }, headers)).json).toMatchObject({ visibility });
      const seen = [(await get(`${url}/tally`)).status, (await get(`${url}/series`)).status];
      expect([close, visibility, ...seen]).toEqual([close, visibility, status, status]);
      expect((await get(`${url}/export`, headers)).status).toBe(200);
    }
  }
});
