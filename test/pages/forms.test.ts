import { expect, test } from 'vitest';
import { createPoll, get, post, send, type Answer } from '../support/http.ts';
import { shareTestServer, startTestServer, type TestServer } from '../support/server.ts';

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** A form as a browser sends it, without following where it leads. */
async function submit(url: string, fields: Record<string, string | string[]>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const each of [value].flat()) body.append(name, each);
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual', headers: { ...browser, ...headers } });
  const cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? null;
  return { status: response.status, location: response.headers.get('location'), cookie, text: await response.text() };
}

/** The props that the page's script would get. */
function propsOf({ text }: { text: string }): Record<string, unknown> {
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/su.exec(text)?.[1] ?? '{}';
  return (JSON.parse(data) as { props: Record<string, unknown> }).props; // Our own page.
}

function pageOf(server: TestServer, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return get(`${server.url}${path}`, { ...browser, ...headers });
}

const totalOf = async (server: TestServer, poll: { id: string }): Promise<number> =>
  ((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json as { total: number }).total;

const shared = shareTestServer('--preset', 'none');

test('a form without a script casts a ballot, and a reload of what follows casts nothing', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const cast = await submit(`${server.url}/p/${poll.slug}`, { option: '2', key: 'form-1' });
  expect(cast.status).toBe(303);
  expect(cast.location).toMatch(new RegExp(`^/p/${poll.slug}\\?ballot=[\\da-f-]{36}$`, 'u'));
  expect(cast.cookie).toMatch(/voter_id=/u);
  const after = await pageOf(server, cast.location ?? '', { cookie: cast.cookie ?? '' });
  expect(propsOf(after)).toMatchObject({ ballot: { status: 'counted' }, notice: null });
  expect(propsOf(await pageOf(server, `/p/${poll.slug}`, { cookie: cast.cookie ?? '' }))).toMatchObject({
    ballot: { status: 'counted' },
  });
  expect(await totalOf(server, poll)).toBe(1);
});

test('the same form sent twice counts once, also where nobody is told apart', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const [first, second] = await Promise.all(
    [1, 2].map(() => submit(`${server.url}/p/${poll.slug}`, { option: '1', key: 'pressed-twice' })),
  );
  expect(first?.location).toBe(second?.location);
  expect(await totalOf(server, poll)).toBe(1);
});

test('a second ballot of the same browser is told when the first was counted', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const { cookie } = await submit(`${server.url}/p/${poll.slug}`, { option: '1', key: 'one' });
  const again = await submit(`${server.url}/p/${poll.slug}`, { option: '2', key: 'two' }, { cookie: cookie ?? '' });
  expect(again.status).toBe(409);
  expect(propsOf(again)).toMatchObject({ notice: { kind: 'duplicate', castAt: expect.any(String) }, chosen: ['2'] });
  expect(await totalOf(server, poll)).toBe(1);
});

test.for([
  [{}, {}, 422, 'nothing_chosen'],
  [{}, { option: ['1', '2'] }, 422, 'too_many'],
  [{}, { option: 'none' }, 422, 'poll_changed'],
  [{ selections: { min: 2, max: 2 } }, { option: '1' }, 422, 'too_few'],
  [{ electorate: 'declared' }, { option: '1' }, 422, 'user_id_missing'],
  [{ electorate: 'declared' }, { option: '1', userId: '   ' }, 422, 'user_id_missing'],
  [{ draft: true }, { option: '1' }, 409, 'not_open'],
] as const)(
  '%j answers the form %j with %i and says %s, and the choice is kept',
  async ([terms, form, status, kind]) => {
    const server = shared();
    const poll = await createPoll(server.url, { electorate: 'cookie', ...terms });
    const fields: Record<string, string | string[]> = {
      ...(form as Record<string, string | string[]>),
      key: 'the-key',
    };
    const answer = await submit(`${server.url}/p/${poll.slug}`, fields);
    expect(answer.status).toBe(status);
    const chosen = 'option' in form ? [form.option].flat() : [];
    expect(propsOf(answer)).toMatchObject({ notice: { kind }, chosen, idempotencyKey: 'the-key' });
    expect(await totalOf(server, poll)).toBe(0);
  },
);

test('a ballot after the close is told by how much it was late', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  await post(`${server.url}/api/v1/polls/${poll.id}/close`, {}, { 'manage-key': poll.manageKey });
  const answer = await submit(`${server.url}/p/${poll.slug}`, { option: '1', key: 'late' });
  expect(answer.status).toBe(409);
  expect(propsOf(answer)).toMatchObject({ notice: { kind: 'closed', lateMs: expect.any(Number) } });
});

test('a form of another site casts nothing', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ]) {
    const answer = await submit(`${server.url}/p/${poll.slug}`, { option: '1', key: 'foreign' }, headers);
    expect([answer.status, propsOf(answer)['notice']]).toEqual([403, { kind: 'form_foreign' }]);
  }
  expect(await totalOf(server, poll)).toBe(0);
  for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: server.url }]) {
    expect((await submit(`${server.url}/p/${poll.slug}`, { option: '1' }, headers)).status).toBe(303);
  }
});

test('a poll is made by the form without a script, and its key travels in the fragment alone', async () => {
  const server = shared();
  const made = await submit(`${server.url}/`, { question: 'Where do we eat?', option: ['Canteen', 'Noodles', ''] });
  expect(made.status).toBe(303);
  expect(made.location).toMatch(/^\/p\/where-do-we-eat-\w{4}\/manage#manage_[\w-]+$/u);
  const pasted = await submit(`${server.url}/`, { question: 'Which?', option: 'A\r\nB\r\n\r\nC', kind: 'several' });
  const slug = /^\/p\/([^/]+)/u.exec(pasted.location ?? '')?.[1];
  expect((await get(`${server.url}/api/v1/polls/${slug}`)).json).toMatchObject({
    options: [{ text: 'A' }, { text: 'B' }, { text: 'C' }],
    selections: { min: 1, max: 3 },
  });
});

test('a form that describes no poll comes back with what it held', async () => {
  const server = shared();
  const answer = await submit(`${server.url}/`, { question: 'Only one option?', option: 'Yes' });
  expect(answer.status).toBe(422);
  expect(propsOf(answer)).toMatchObject({ refused: { question: 'Only one option?', options: ['Yes'] } });
  expect((await submit(`${server.url}/`, { question: 'Q?', option: ['A', 'A'] })).status).toBe(422);
  expect(
    (await submit(`${server.url}/`, { question: 'Q?', option: ['A', 'B'] }, { origin: 'https://evil.example' })).status,
  ).toBe(403);
});

test('a join code leads to its poll however it is typed, and an unknown one to the field', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const typed = `${poll.joinCode.slice(0, 3).toLowerCase()}-${poll.joinCode.slice(3)}`;
  const asked = await fetch(`${server.url}/join?code=${typed}`, { redirect: 'manual' });
  expect(asked.headers.get('location')).toBe(`/j/${poll.joinCode}`);
  const found = await fetch(`${server.url}/j/${typed}`, { redirect: 'manual' });
  expect([found.status, found.headers.get('location')]).toEqual([303, `/p/${poll.slug}`]);
  const unknown = await pageOf(server, '/j/ZZZZZZ');
  expect([unknown.status, propsOf(unknown)]).toEqual([404, { code: 'ZZZZZZ', unknown: true }]);
  expect((await pageOf(server, '/j/%00')).status).toBe(404);
  for (const path of ['/j', '/j/', '/join']) {
    const field = await pageOf(server, path);
    expect([field.status, propsOf(field)]).toEqual([200, { code: '', unknown: false }]);
  }
});

test('whoever tries many codes that do not exist gets a page that says when to go on', async () => {
  const server = await startTestServer('--preset', 'none', '--join-misses-per-minute-max', '3');
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  for (const code of ['ZZZ222', 'ZZZ223', 'ZZZ222']) expect((await pageOf(server, `/j/${code}`)).status).toBe(404);
  for (const code of ['ZZZ224', poll.joinCode]) {
    const refused = await get(`${server.url}/j/${code}`, { accept: 'text/html' });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused.text).toMatch(/Try again in \d+ s\./u);
  }
  expect((await pageOf(server, `/p/${poll.slug}`)).status).toBe(200);
});

test('a receipt tells what became of the ballot and never the choice', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie', question: 'Receipts?' });
  const cast = await submit(`${server.url}/p/${poll.slug}`, { option: '2', key: 'r' });
  const ballotId = new URL(cast.location ?? '', server.url).searchParams.get('ballot');
  const page = await pageOf(server, `/r/${ballotId}`);
  expect(page.status).toBe(200);
  expect(propsOf(page)).toMatchObject({ ballotId, ballot: { status: 'counted' }, poll: { question: 'Receipts?' } });
  expect(JSON.stringify(propsOf(page))).not.toContain('selections":["2"');
  expect((await pageOf(server, '/r/00000000-0000-7000-8000-000000000000')).status).toBe(404);
  expect((await pageOf(server, '/r/nonsense')).status).toBe(404);
});

test('what does not exist is a page for browsers and a problem for programs', async () => {
  const server = shared();
  for (const path of ['/nowhere', '/p/none', '/p/none/results', '/p/none/present', '/p/none/manage', '/embed/none']) {
    const page = await pageOf(server, path);
    expect([path, page.status, page.headers.get('content-type')]).toEqual([path, 404, 'text/html; charset=utf-8']);
    const problem = await get(`${server.url}${path}`);
    expect([path, problem.status, problem.headers.get('content-type')]).toEqual([
      path,
      404,
      'application/problem+json; charset=utf-8',
    ]);
  }
});

test('pages that hide results hold no count in their text or data', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open', visibility: 'manager' });
  for (let cast = 0; cast < 7; cast += 1) {
    await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  }
  for (const path of ['', '/results', '/present', '/manage']) {
    const page = await pageOf(server, `/p/${poll.slug}${path}`);
    expect([path, propsOf(page)['tally']]).toEqual([path, null]);
  }
  const home = propsOf(await pageOf(server, '/'))['polls'] as { poll: { id: string }; tally: unknown }[];
  expect(home.find((each) => each.poll.id === poll.id)?.tally).toBeNull();
});

test('the leaderboard is a page for browsers and JSON for everybody else', async () => {
  const server = shared();
  const page = await pageOf(server, '/leaderboard');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('vary')).toContain('Accept');
  expect(propsOf(page)).toMatchObject({ all: { window: 'all' }, lastTenMinutes: { window: 'last_ten_minutes' } });
  expect((await get(`${server.url}/leaderboard`)).json).toHaveProperty('data');
});

test('a form that no page of ours sends is refused without a 5xx', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const bodies = [
    '',
    'option=%00',
    'option=%ud800',
    `option=${'x'.repeat(1_000_000)}`,
    '&'.repeat(10_000),
    'option[]=1',
    'option=1&'.repeat(5_000),
  ];
  for (const body of bodies) {
    const answer = await send('POST', `${server.url}/p/${poll.slug}`, body, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([body.slice(0, 20), answer.status]).toEqual([
      body.slice(0, 20),
      expect.toSatisfy((status: number) => status >= 400 && status < 500),
    ]);
  }
  const json = await post(`${server.url}/p/${poll.slug}`, { option: '1' });
  expect(json.status).toBe(415);
  expect(await totalOf(server, poll)).toBe(0);
});
