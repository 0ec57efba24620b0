import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPoll, get, hostileBodies, post, type Answer } from '../support/http.ts';
import { accepted, expectVotes, flagsOfLive as flags, readResults, vote } from '../support/live-votes.ts';
import { createDatabase, shareServer, shareTestServer, startOn, startTestServer } from '../support/server.ts';
import { ask } from '../support/wire.ts';

function expectFault(answer: Answer, fault: object): void {
  expect([answer.status, answer.json]).toEqual([422, { detail: [fault] }]);
}

describe('contract live: votes and results', () => {
  test('a poll and its options exist from the first vote for them, and the results are those of the contract', async () => {
    const server = await startTestServer(...flags);
    for (const option of ['A', 'B', 'A', 'A']) {
      const answer = await vote(server, '100', option);
      expect([answer.status, answer.text]).toEqual([200, '{"status":"success","message":"Vote accepted"}']);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
    const answer = await get(`${server.url}/api/v1/results/100`);
    expect([answer.status, answer.text]).toEqual([
      200,
      '{"poll_id":"100","results":{"A":3,"B":1},"served_via":"in_memory"}',
    ]);
    expect(
      await server.query('select slug, electorate, revote, listed, made_as, revision, ballot_form from polls'),
    ).toEqual([
      { slug: '100', electorate: 'open', revote: 'refuse', listed: false, made_as: '100', revision: 2, ballot_form: 1 },
    ]);
    expect(await server.query('select detail from poll_events')).toEqual([{ detail: { by: 'vote' } }]);
  });

  test('a program that asks for / gets a sign of life', async () => {
    const server = await startTestServer(...flags);
    const answer = await get(`${server.url}/`);
    expect([answer.status, answer.text]).toEqual([200, '{"status":"healthy"}']);
    const page = await get(`${server.url}/`, { accept: 'text/html' });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  test('an unknown poll has no results, and asking for it makes none', async () => {
    const server = await startTestServer(...flags);
    const answer = await get(`${server.url}/api/v1/results/nowhere`);
    expect([answer.status, answer.json]).toEqual([200, { poll_id: 'nowhere', results: {}, served_via: 'in_memory' }]);
    expect(await server.query('select from polls')).toHaveLength(0);
  });

  test('votes are without limit, and one that is sent again with its key counts once', async () => {
    const server = await startTestServer(...flags);
    const answers = await Promise.all(Array.from({ length: 200 }, () => vote(server, 'many', 'A')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const key = { 'idempotency-key': 'once' };
    const again = await Promise.all(Array.from({ length: 20 }, () => vote(server, 'many', 'B', key)));
    expect(again.map(({ status, json }) => [status, json])).toEqual(again.map(() => [200, accepted]));
    expect((await vote(server, 'many', 'A', key)).status).toBe(409);
    await expectVotes(server, 'many', { A: 200, B: 1 });
    expect(await server.query('select from ballots')).toHaveLength(201);
  });

  test('such a poll has its page and its API, is on no list, and nobody manages it', async () => {
    const server = await startTestServer(...flags);
    await vote(server, 'lunch', 'Soup');
    await vote(server, 'What now?', 'Tea');
    expect((await get(`${server.url}/p/lunch`, { accept: 'text/html' })).status).toBe(200);
    expect((await get(`${server.url}/api/v1/polls/lunch/tally`)).json).toMatchObject({ total: 1 });
    expect((await get(`${server.url}/api/v1/polls`)).json).toMatchObject({ polls: [] });
    expect((await get(`${server.url}/leaderboard`)).json).toMatchObject({ data: [] });
    expect((await post(`${server.url}/api/v1/polls/lunch/close`, {}, { 'manage-key': 'manage_x' })).status).toBe(403);
    const rows = await server.query('select slug, question from polls order by poll_no');
    expect(rows).toEqual([
      { slug: 'lunch', question: 'lunch' },
      { slug: expect.stringMatching(/^what-now-\w{4}$/u), question: 'What now?' },
    ]);
  });
});

describe('contract live: what is refused', () => {
  const shared = shareServer(flags, {});
  const at = (type: string, msg: string) => ({ type, loc: ['body', 'option_id'], msg });

  test('a wrong option is named as FastAPI does', async () => {
    const server = shared();
    const url = `${server.url}/api/v1/vote/100`;
    const missing = await post(url, {});
    expect([missing.status, missing.text]).toEqual([
      422,
      '{"detail":[{"type":"missing","loc":["body","option_id"],"msg":"Field required"}]}',
    ]);
    for (const option of [7, null, true, ['A'], { A: 1 }]) {
      expectFault(await vote(server, '100', option), at('string_type', 'Input should be a valid string'));
    }
    const short = 'String should have at least 1 character';
    const long = 'String should have at most 128 characters';
    expectFault(await vote(server, '100', ''), at('string_too_short', short));
    expectFault(await vote(server, '100', 'x'.repeat(129)), at('string_too_long', long));
    expectFault(await vote(server, '100', '🗳'.repeat(129)), at('string_too_long', long));
    for (const option of ['a\u0000b', '\ud800']) {
      expectFault(
        await vote(server, '100', option),
        at('value_error', 'Value error, the text has characters that cannot be stored'),
      );
    }
    const body = { loc: ['body'] };
    expectFault(await post(url, '{"option_id"'), { ...body, type: 'json_invalid', msg: 'JSON decode error' });
    expectFault(await post(url, ''), { ...body, type: 'missing', msg: 'Field required' });
    expectFault(await post(url, '[]'), {
      ...body,
      type: 'model_attributes_type',
      msg: 'Input should be a valid dictionary or object',
    });
  });

  test('a wrong poll id is named likewise, for votes and for results', async () => {
    const { url } = shared();
    const refusals: [id: string, type: string, msg: string][] = [
      ['x'.repeat(129), 'string_too_long', 'String should have at most 128 characters'],
      ['%00', 'value_error', 'Value error, the text has characters that cannot be stored'],
      ['', 'string_too_short', 'String should have at least 1 character'],
    ];
    for (const [id, type, msg] of refusals) {
      const fault = { type, loc: ['path', 'poll_id'], msg };
      expectFault(await post(`${url}/api/v1/vote/${id}`, { option_id: 'A' }), fault);
      expectFault(await get(`${url}/api/v1/results/${id}`), fault);
    }
    for (const id of ['%', '%ff', '%zz']) {
      const path = `/api/v1/vote/${id}`;
      expect((await ask(url, { method: 'POST', path, body: '{"option_id":"A"}' })).status).toBe(400);
    }
  });

  test.for(hostileBodies)('%s gets a 4xx and leaves nothing behind', async ([, body]) => {
    const server = shared();
    const answer = await post(`${server.url}/api/v1/vote/hostile`, body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.json).toHaveProperty('detail');
    expect(await server.query('select from polls')).toHaveLength(0);
  });

  test('paths and methods of the contract election stay its own', async () => {
    const { url } = shared();
    expect((await post(`${url}/api/v1/vote`, { option_id: 'A' })).status).toBe(401);
    expect((await get(`${url}/api/v1/results`)).status).toBe(404);
    const answer = await get(`${url}/api/v1/vote/100`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('contract live: ids', () => {
  const shared = shareTestServer(...flags);
  /** Paths in which . and .. are steps never arrive at any server. */
  const idText = fc
    .string({
      unit: fc
        .nat({ max: 0x10ffff })
        .filter((n) => n > 0 && (n < 0xd800 || n > 0xdfff))
        .map((n) => String.fromCodePoint(n)),
      minLength: 1,
      maxLength: 128,
    })
    .filter((text) => text !== '.' && text !== '..');
  const hardIds = [
    'a/b',
    '%2F',
    '%252F',
    '100%',
    '?a=b#c',
    ';x',
    ' ',
    '+',
    '...',
    '__proto__',
    'constructor',
    '123e4567-e89b-12d3-a456-426614174000',
    '123e4567-',
    'ẞ𝄞\u202e',
    '\n',
    "'; drop table polls; --",
    '{}',
    '*',
    ':poll_id',
    '🗳'.repeat(128),
  ];

  test('any text of 1 to 128 characters is a poll, and an option', async () => {
    const server = await startTestServer(...flags);
    const known = new Map<string, Map<string, number>>();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...hardIds), idText),
        fc.oneof(fc.constantFrom(...hardIds), idText),
        async (pollId, optionId) => {
          const votes = known.get(pollId) ?? new Map<string, number>();
          known.set(pollId, votes.set(optionId, (votes.get(optionId) ?? 0) + 1));
          const answer = await vote(server, pollId, optionId);
          expect([answer.status, answer.json]).toEqual([200, accepted]);
        },
      ),
      { numRuns: 300, examples: hardIds.map((id, index): [string, string] => [id, hardIds.at(-index) ?? id]) },
    );
    const ids = [...known.keys()];
    for (const id of ids) {
      await expectVotes(server, id, Object.fromEntries(known.get(id) ?? []));
      expect((await readResults(server, id)).poll_id).toBe(id);
    }
    const rows = await server.query<{ made_as: string }>('select made_as from polls order by made_as collate "C"');
    expect(new Set(rows.map((row) => row.made_as))).toEqual(new Set(ids));
  });

  test('dots that no path takes for a step are an id', async () => {
    const server = shared();
    for (const id of ['.', '..', '%2e%2e']) {
      const path = `/api/v1/vote/${id}`;
      expect((await ask(server.url, { method: 'POST', path, body: '{"option_id":"A"}' })).body).toBe(
        JSON.stringify(accepted),
      );
    }
    const rows = await server.query("select made_as from polls where made_as in ('.', '..') order by 1");
    expect(rows).toEqual([{ made_as: '.' }, { made_as: '..' }]);
  });

  test('the names of the polls of presets are ids like any other, and keep their slugs free', async () => {
    const server = shared();
    for (const id of ['features', 'duel', 'election']) {
      expect((await vote(server, id, 'A')).status).toBe(200);
      const slugs = await server.query<{ slug: string }>('select slug from polls where made_as = $1', [id]);
      expect(slugs[0]?.slug).not.toBe(id);
    }
  });
});

describe('contract live: beside the rest', () => {
  test('polls made elsewhere keep their own rules', async () => {
    const server = await startTestServer(...flags);
    const open = await createPoll(server.url, { electorate: 'open', slug: 'drinks' });
    for (const name of [open.id, 'drinks']) {
      expect((await vote(server, name, '1')).status).toBe(200);
      const unknown = await vote(server, name, 'Water');
      expect([unknown.status, unknown.json]).toEqual([404, { detail: 'Option not found' }]);
    }
    await expectVotes(server, 'drinks', { 1: 2 });
    for (const electorate of ['cookie', 'declared']) {
      const poll = await createPoll(server.url, { electorate });
      const answer = await vote(server, poll.id, '1');
      expect([answer.status, answer.json]).toEqual([
        403,
        { detail: `This poll needs to know its voters (electorate ${electorate}).` },
      ]);
    }
    const two = await createPoll(server.url, { electorate: 'open', selections: { min: 2, max: 2 } });
    expect((await vote(server, two.id, '1')).status).toBe(422);
    const hidden = await createPoll(server.url, { electorate: 'open', visibility: 'manager' });
    expect((await vote(server, hidden.id, '1')).status).toBe(200);
    const answer = await get(`${server.url}/api/v1/results/${hidden.id}`);
    expect([answer.status, answer.json]).toEqual([403, { detail: 'The results are hidden.' }]);
    expect(await server.query('select from polls where made_as is not null')).toHaveLength(0);
  });

  test('a closed poll takes no vote, also after a restart, when it is not at hand', async () => {
    const first = await startTestServer(...flags);
    const poll = await createPoll(first.url, { electorate: 'open', slug: 'over' });
    await post(`${first.url}/api/v1/polls/over/close`, {}, { 'manage-key': poll.manageKey });
    await first.stop();
    const second = await startOn(first.databaseUrl, [...flags, '--live-polls-max', '0']);
    for (const name of [poll.id, 'over']) expect((await vote(second, name, '1')).status).toBe(409);
    expect((await vote(second, 'new', '1')).status).toBe(429);
  });

  test('a vote that was accepted is there after a restart, and its key still counts once', async () => {
    const first = await startTestServer(...flags);
    expect((await vote(first, 'stays', 'A', { 'idempotency-key': 'k' })).status).toBe(200);
    await first.stop();
    const second = await startOn(first.databaseUrl, flags);
    expect((await readResults(second, 'stays')).results).toEqual({ A: 1 });
    expect((await vote(second, 'stays', 'A', { 'idempotency-key': 'k' })).status).toBe(200);
    expect((await vote(second, 'stays', 'B')).status).toBe(200);
    expect(await second.query('select from ballots')).toHaveLength(2);
  });

  test('every server takes these votes, and API_PREFIX moves them', async () => {
    const plain = await startTestServer();
    expect((await vote(plain, 'anything', 'A')).status).toBe(200);
    for (const [prefix, base] of [
      ['/live/v2/', '/live/v2'],
      ['/', ''],
    ] as const) {
      const moved = await startOn(await createDatabase(), flags, { API_PREFIX: prefix });
      expect((await post(`${moved.url}${base}/vote/1`, { option_id: 'A' })).json).toEqual(accepted);
      expect((await get(`${moved.url}${base}/results/1`)).json).toMatchObject({ results: { A: 1 } });
      expect((await vote(moved, '1', 'A')).status).toBe(404);
      expect((await get(`${moved.url}/api/v1/polls/1`)).status).toBe(200);
    }
  });
});
