import { expect, test } from 'vitest';
import { createPoll, get, post, send, type TestPoll } from '../support/http.ts';
import { closeSoon } from '../support/polls.ts';
import { startTestServer } from '../support/server.ts';

const good = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'] };

test('a poll is made with defaults that a sentence could tell, and opens at once', async () => {
  const server = await startTestServer('--preset', 'none');
  const answer = await post(`${server.url}/api/v1/polls`, good);
  expect(answer.status).toBe(201);
  const { manageKey, ...poll } = answer.json as { manageKey: string; id: string; slug: string };
  expect(answer.headers.get('location')).toBe(`/api/v1/polls/${poll.id}`);
  expect(manageKey).toMatch(/^manage_[\w-]{27}$/u);
  expect(poll).toMatchObject({
    question: 'Tea or coffee?',
    options: [
      { id: '1', text: 'Tea', description: null },
      { id: '2', text: 'Coffee', description: null },
    ],
    status: 'open',
    electorate: 'cookie',
    revote: 'refuse',
    visibility: 'always',
    selections: { min: 1, max: 1 },
    listed: true,
    closesAt: null,
    revision: 1,
  });
  expect(poll.slug).toMatch(/^tea-or-coffee-[a-z2-9]{4}$/u);
  for (const name of [poll.id, poll.slug]) expect((await get(`${server.url}/api/v1/polls/${name}`)).json).toEqual(poll);
  const [row] = await server.query<{ manage_key_hash: Buffer }>('select manage_key_hash from polls');
  expect(row?.manage_key_hash.toString('latin1')).not.toContain(manageKey);
});

test('every field of a poll is kept', async () => {
  const server = await startTestServer('--preset', 'none');
  const fields = {
    question: 'Wer? 🗳️',
    description: 'نص',
    options: [{ id: 'a', text: 'A', description: 'first' }, 'B', { text: 'C' }],
    electorate: 'declared',
    electorateSize: 30,
    revote: 'replace',
    visibility: 'after_close',
    selections: { min: 0, max: 3 },
    listed: false,
    slug: 'who',
    opensAt: '2080-01-01T00:00:00.000Z',
    closesAt: '2080-01-02T00:00:00.000Z',
  };
  const { options: _given, ...same } = fields;
  expect((await post(`${server.url}/api/v1/polls`, fields)).json).toMatchObject({
    ...same,
    status: 'draft',
    options: [
      { id: 'a', text: 'A', description: 'first' },
      { id: '2', text: 'B', description: null },
      { id: '3', text: 'C', description: null },
    ],
  });
});

test.for<[fault: object, status: number, pointer: string]>([
  [{ question: '' }, 400, '/question'],
  [{ question: ' ' }, 422, '/question'],
  [{ question: 'a\u0000' }, 422, '/question'],
  [{ question: '\ud800' }, 422, '/question'],
  [{ question: 'x'.repeat(1_001) }, 400, '/question'],
  [{ options: ['one'] }, 400, '/options'],
  [{ options: Array.from({ length: 201 }, (_, index) => `o${index}`) }, 400, '/options'],
  [{ options: ['a', 'a '] }, 422, '/options/1/text'],
  [
    {
      options: [
        { id: 'x', text: 'a' },
        { id: 'x', text: 'b' },
      ],
    },
    422,
    '/options/1/id',
  ],
  [{ selections: { min: 2, max: 1 } }, 422, '/selections/min'],
  [{ selections: { max: 3 } }, 422, '/selections/max'],
  [{ electorateSize: 5 }, 422, '/electorateSize'],
  [{ electorate: 'open', revote: 'replace' }, 422, '/revote'],
  [{ electorate: 'everybody' }, 400, '/electorate'],
  [{ closesAt: '2001-01-01T00:00:00Z' }, 422, '/closesAt'],
  [{ closesAt: 'tomorrow' }, 400, '/closesAt'],
  [{ closesAt: '2080-19-99T00:00:00Z' }, 422, '/closesAt'],
  [{ opensAt: '2081-01-01T00:00:00Z', closesAt: '2080-01-01T00:00:00Z' }, 422, '/closesAt'],
  [{ slug: 'Not A Slug' }, 400, '/slug'],
  [{ colour: 'red' }, 400, '/colour'],
])('the fault %j is refused with its place, and nothing is left behind', async ([fault, status, pointer]) => {
  const server = await startTestServer('--preset', 'none');
  const answer = await post(`${server.url}/api/v1/polls`, { ...good, ...fault });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const { violations } = answer.json as { violations: { pointer: string }[] };
  expect(violations.map((violation) => violation.pointer)).toContain(pointer);
  expect(await server.query('select 1 from polls')).toEqual([]);
});

test('a slug is given once', async () => {
  const server = await startTestServer('--preset', 'none');
  await createPoll(server.url, { slug: 'mine' });
  const again = await post(`${server.url}/api/v1/polls`, { ...good, slug: 'mine' });
  expect([again.status, again.json]).toMatchObject([409, { code: 'slug_taken' }]);
});

test('a poll is found by its join code, however it is typed, and lists come in pages', async () => {
  const server = await startTestServer('--preset', 'none');
  const polls: TestPoll[] = [];
  for (let index = 0; index < 5; index += 1) polls.push(await createPoll(server.url, { listed: index !== 2 }));
  const { joinCode = '', id } = polls[2] ?? {};
  const typed = `${joinCode.slice(0, 3)}-${joinCode.slice(3)}`.toLowerCase();
  expect((await get(`${server.url}/api/v1/polls?joinCode=${typed}`)).json).toMatchObject({
    polls: [{ id }],
    next: null,
  });
  const first = (await get(`${server.url}/api/v1/polls?limit=3`)).json as { polls: { id: string }[]; next: string };
  const second = (await get(`${server.url}/api/v1/polls?limit=3&before=${first.next}`)).json as typeof first;
  expect([...first.polls, ...second.polls].map((poll) => poll.id)).toEqual(
    [4, 3, 1, 0].map((index) => polls[index]?.id),
  );
  for (const limit of ['0', '101', 'many', '1.5'])
    expect((await get(`${server.url}/api/v1/polls?limit=${limit}`)).status).toBe(400);
});

test('only the manage key changes a poll', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  for (const [headers, status] of [
    [{}, 401],
    [{ 'manage-key': 'manage_wrong' }, 403],
    [{ 'manage-key': (await createPoll(server.url)).manageKey }, 403],
  ] as const) {
    for (const [method, url, body] of [
      ['PATCH', path, { question: 'New?' }],
      ['POST', `${path}/close`, ''],
      ['GET', `${path}/log`, undefined],
    ] as const) {
      expect((await send(method, url, body, headers)).status).toBe(status);
    }
  }
  expect((await get(path)).json).toMatchObject({ question: 'Tea or coffee?', status: 'open', revision: 1 });
});

test('options and rules are frozen by the first ballot, the words are not', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const key = { 'manage-key': poll.manageKey };
  const edited = await send('PATCH', path, { options: ['Water', 'Juice', 'Milk'] }, key);
  expect([edited.status, edited.json]).toMatchObject([
    200,
    { revision: 2, options: [{ text: 'Water' }, { text: 'Juice' }, { text: 'Milk' }] },
  ]);
  expect((await post(`${path}/ballots`, { selections: ['3'], userId: 'u' })).status).toBe(201);
  for (const change of [
    { options: ['a', 'b'] },
    { revote: 'replace' },
    { selections: { max: 2 } },
    { electorate: 'open' },
  ]) {
    expect((await send('PATCH', path, change, key)).json).toMatchObject({ status: 409, code: 'options_frozen' });
  }
  expect((await send('PATCH', path, { question: 'What to drink?', visibility: 'after_close' }, key)).status).toBe(200);
  expect((await send('PATCH', path, {}, key)).status).toBe(400);
});

test('a poll goes through its states, each step is logged, and a wrong step says why', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { draft: true });
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const key = { 'manage-key': poll.manageKey };
  const step = async (name: string, body: unknown = '') => {
    const { status, json } = await post(`${path}/${name}`, body, key);
    return status === 200 ? (json as { status: string }).status : (json as { code: string }).code;
  };
  const cast = async (userId: string) =>
    ((await post(`${path}/ballots`, { selections: ['1'], userId })).json as { code?: string }).code;
  expect((await get(path)).json).toMatchObject({ status: 'draft', opensAt: null });
  expect(await cast('a')).toBe('poll_not_open');
  for (const wrong of ['pause', 'close', 'reopen']) expect(await step(wrong)).toBe('poll_state_conflict');
  expect(await step('open')).toBe('open');
  expect(await cast('a')).toBeUndefined();
  expect(await step('open')).toBe('poll_state_conflict');
  expect(await step('pause')).toBe('paused');
  expect(await cast('b')).toBe('poll_not_open');
  expect(await step('open')).toBe('open');
  expect(await step('extend', { minutes: 5 })).toBe('open');
  expect(await step('extend', { closesAt: '2001-01-01T00:00:00Z' })).toBe('poll_state_conflict');
  expect(await step('extend', { closesAt: null })).toBe('open');
  expect(await step('close')).toBe('closed');
  expect(await cast('b')).toBe('poll_closed');
  expect(await step('close')).toBe('poll_state_conflict');
  expect(await step('extend', { minutes: 5 })).toBe('poll_state_conflict');
  expect(await step('reopen', { closesAt: '2080-01-01T00:00:00Z' })).toBe('open');
  expect(await cast('b')).toBeUndefined();
  const { events } = (await get(`${path}/log`, key)).json as { events: { event: string }[] };
  expect(events.map(({ event }) => event)).toEqual([
    'created',
    'open',
    'pause',
    'open',
    'postpone',
    'extend',
    'close',
    'reopen',
  ]);
});

test('a poll opens and closes by time', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { opensAt: new Date(Date.now() + 4_000).toISOString() });
  const status = async () => ((await get(`${server.url}/api/v1/polls/${poll.id}`)).json as { status: string }).status;
  expect(await status()).toBe('draft');
  await expect.poll(status).toBe('open');
  await closeSoon(server.url, poll);
  await expect.poll(status).toBe('closed');
});

test('with a create key only its holders create polls', async () => {
  const server = await startTestServer('--preset', 'none', '--create-key', 'a-long-create-key');
  expect((await post(`${server.url}/api/v1/polls`, good)).status).toBe(401);
  expect((await post(`${server.url}/api/v1/polls`, good, { 'create-key': 'wrong-key' })).status).toBe(403);
  expect((await post(`${server.url}/api/v1/polls`, good, { 'create-key': 'a-long-create-key' })).status).toBe(201);
});
