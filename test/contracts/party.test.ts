import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../server/config.ts';
import { createPoll, get, hostileBodies, post, send } from '../support/http.ts';
import { closeSoon } from '../support/polls.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

type PartyPoll = {
  id: string;
  options: { option_id: string; option_text: string; vote_count: number }[];
  total_votes: number;
};

const future = '2090-03-30T00:00:00.000Z';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

async function makePoll(
  server: TestServer,
  options = ['JavaScript', 'Python'],
  question = 'Which?',
): Promise<PartyPoll> {
  return (await post(`${server.url}/polls`, { question, options, expired_at: future })).json as PartyPoll;
}

async function vote(server: TestServer, poll: PartyPoll, userId: unknown, option = 0) {
  return post(`${server.url}/polls/${poll.id}/vote`, { user_id: userId, option_id: poll.options[option]?.option_id });
}

describe('contract party: polls', () => {
  test('a poll is created with a body, its location and its manage token', async () => {
    const server = await startTestServer();
    const answer = await post(`${server.url}/polls`, {
      question: 'Which?',
      options: ['JavaScript', 'Python'],
      expired_at: future,
    });
    expect(answer.status).toBe(201);
    const poll = answer.json as PartyPoll & { manage_token: string };
    expect(answer.headers.get('location')).toBe(`/polls/${poll.id}`);
    expect(poll).toEqual({
      id: expect.stringMatching(uuid),
      question: 'Which?',
      total_votes: 0,
      options: ['JavaScript', 'Python'].map((text) => ({
        option_id: expect.stringMatching(uuid),
        option_text: text,
        vote_count: 0,
      })),
      created_at: expect.any(String),
      expired_at: future,
      manage_token: expect.stringMatching(/^manage_/u),
    });
    const { manage_token: _shownOnce, ...shown } = poll;
    expect((await get(`${server.url}/polls/${poll.id}`)).json).toEqual(shown);
  });

  test('every wrong poll is refused in the words of the contract and leaves nothing behind', async () => {
    const server = await startTestServer('--preset', 'none');
    const good = { question: 'Which?', options: ['a', 'b'], expired_at: future };
    const missing = 'Missing required fields: question, options, expired_at';
    const refusals: [change: object, message: string][] = [
      [{ question: undefined }, missing],
      [{ options: undefined }, missing],
      [{ expired_at: undefined }, missing],
      [{ expired_at: null }, missing],
      [{ question: '' }, 'Question must be a non-empty string'],
      [{ question: '   ' }, 'Question must be a non-empty string'],
      [{ question: 7 }, 'Question must be a non-empty string'],
      [{ question: 'a\u0000b' }, 'Question must be a non-empty string'],
      [{ options: ['a'] }, 'Options must be an array with at least 2 items'],
      [{ options: 'ab' }, 'Options must be an array with at least 2 items'],
      [{ options: ['a', ''] }, 'All options must be non-empty strings'],
      [{ options: ['a', 7] }, 'All options must be non-empty strings'],
      [{ options: ['a', ' a '] }, 'All options must be different'],
      [
        { options: Array.from({ length: 201 }, (_, i) => `option ${i}`) },
        'Options must be an array with at most 200 items',
      ],
      [{ expired_at: 'soon' }, 'expired_at must be a valid date string'],
      [{ expired_at: 99 }, 'expired_at must be a valid date string'],
      [{ expired_at: '2001-01-01T00:00:00Z' }, 'expired_at must be in the future'],
    ];
    for (const [change, message] of refusals) {
      const answer = await post(`${server.url}/polls`, { ...good, ...change });
      expect([change, answer.status, answer.json]).toEqual([change, 400, { error: 'Validation Error', message }]);
    }
    const broken = await post(`${server.url}/polls`, '{"question"');
    expect([broken.status, broken.json]).toEqual([
      400,
      { error: 'Invalid JSON', message: 'Invalid request body format' },
    ]);
    expect(await server.query('select 1 from polls')).toHaveLength(0);
  });

  test.for(hostileBodies)('%s gets a 4xx on every route and leaves nothing behind', async ([, body]) => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    for (const path of ['/polls', `/polls/${poll.id}/vote`]) {
      const answer = await post(`${server.url}${path}`, body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    expect(await server.query('select 1 from polls')).toHaveLength(2);
    expect(await server.query('select 1 from ballots')).toHaveLength(0);
  });

  test('two hundred options are taken', async () => {
    const server = await startTestServer();
    const options = Array.from({ length: 200 }, (_, index) => `option ${index}`);
    expect((await makePoll(server, options)).options.map((option) => option.option_text)).toEqual(options);
  });

  test.for(['nonsense', '0', '../x', 'features', '%00', randomUUID(), `${randomUUID()}x`])(
    'the id %s names no poll',
    async (id) => {
      const server = await startTestServer();
      for (const answer of [
        await get(`${server.url}/polls/${encodeURIComponent(id)}`),
        await post(`${server.url}/polls/${encodeURIComponent(id)}/vote`, { user_id: 'u', option_id: 'o' }),
      ]) {
        expect([answer.status, answer.json]).toEqual([404, { error: 'Not Found', message: 'Poll does not exist' }]);
      }
    },
  );

  test('polls are listed newest first, page by page', async () => {
    const server = await startTestServer('--preset', 'none');
    for (let index = 0; index < 5; index += 1) await makePoll(server, ['a', 'b'], `Question ${index}`);
    const first = (await get(`${server.url}/polls?limit=3`)).json as { data: { question: string }[]; next: string };
    const second = (await get(`${server.url}/polls?limit=3&before=${first.next}`)).json as {
      data: { question: string }[];
      next: null;
    };
    expect([...first.data, ...second.data].map(({ question }) => question)).toEqual(
      [4, 3, 2, 1, 0].map((n) => `Question ${n}`),
    );
    expect(second.next).toBeNull();
  });
});

describe('contract party: votes', () => {
  test('a user votes once per poll, whichever way the user comes again', async () => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    expect((await vote(server, poll, 'user123')).status).toBe(200);
    for (const again of [await vote(server, poll, 'user123'), await vote(server, poll, 'user123', 1)]) {
      expect([again.status, again.json]).toEqual([
        409,
        { error: 'Conflict', message: 'User has already voted on this poll' },
      ]);
    }
    expect((await vote(server, poll, 7)).status).toBe(200);
    expect((await vote(server, poll, '7')).status).toBe(409);
    expect((await get(`${server.url}/polls/${poll.id}`)).json).toMatchObject({ total_votes: 2 });
  });

  test('of fifty votes that one user sends at the same time one counts', async () => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => vote(server, poll, 'same', index % 2)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
    expect(await server.query('select 1 from ballots')).toHaveLength(1);
  });

  test('a wrong vote is refused in the words of the contract', async () => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    const other = await makePoll(server);
    const option = poll.options[0]?.option_id;
    const required = 'Poll ID, option ID, and user ID are required';
    const refusals: [body: object, message: string][] = [
      [{ user_id: 'u' }, required],
      [{ option_id: option }, required],
      [{}, required],
      [{ user_id: '', option_id: option }, required],
      [{ user_id: 'u', option_id: other.options[0]?.option_id }, 'Option does not belong to this poll'],
      [{ user_id: 'u', option_id: 'nonsense' }, 'Option does not belong to this poll'],
      [{ user_id: 'u'.repeat(256), option_id: option }, 'user_id must be text of 1 to 255 characters'],
      [{ user_id: { a: 1 }, option_id: option }, 'user_id must be text of 1 to 255 characters'],
    ];
    for (const [body, message] of refusals) {
      const answer = await post(`${server.url}/polls/${poll.id}/vote`, body);
      expect([body, answer.status, answer.json]).toEqual([body, 400, { error: 'Validation Error', message }]);
    }
    expect(await server.query('select 1 from ballots')).toHaveLength(0);
  });

  test('an expired poll takes no vote by the clock of the ledger, and is still shown', async () => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    await vote(server, poll, 'early');
    const quick = { question: 'Quick?', options: ['a', 'b'], expired_at: future };
    const short = (await post(`${server.url}/polls`, quick)).json as PartyPoll & { manage_token: string };
    expect((await vote(server, short, 'in-time')).status).toBe(200);
    await closeSoon(server.url, { id: short.id, manageKey: short.manage_token });
    await expect.poll(async () => (await vote(server, short, randomUUID())).status).toBe(410);
    const late = await vote(server, short, 'late');
    expect(late.json).toEqual({ error: 'Gone', message: 'Poll has expired' });
    const rows = await server.query('select 1 from ballots join polls using (poll_no) where cast_at >= closes_at');
    expect(rows).toHaveLength(0);
    expect((await get(`${server.url}/polls/${short.id}`)).status).toBe(200);
  });
});

describe('contract party: leaderboard and the rest', () => {
  test('the leaderboard has the most votes first, ties by creation and then by the ballot', async () => {
    const server = await startTestServer('--preset', 'none');
    const first = await makePoll(server, ['a1', 'a2'], 'A');
    const second = await makePoll(server, ['b1', 'b2'], 'B');
    for (const user of ['u1', 'u2']) await vote(server, second, user, 1);
    await vote(server, first, 'u1', 1);
    await expect
      .poll(async () => {
        const { data } = (await get(`${server.url}/leaderboard`)).json as {
          data: { option_text: string; vote_count: number }[];
        };
        return data.map(({ option_text: text, vote_count: count }) => `${text} ${count}`);
      })
      .toEqual(['b2 2', 'a2 1', 'a1 0', 'b1 0']);
    const answer = (await get(`${server.url}/leaderboard?limit=1`)).json as { data: object[]; timestamp: string };
    expect(answer.data).toEqual([
      {
        poll_id: second.id,
        poll_question: 'B',
        option_id: second.options[1]?.option_id,
        option_text: 'b2',
        vote_count: 2,
      },
    ]);
    expect(new Date(answer.timestamp).toISOString()).toBe(answer.timestamp);
  });

  test.for(['0', '101', '-1', 'ten', '1.5', '', '1e1', '99999999999999999999'])(
    'the limit %s is refused',
    async (limit) => {
      const server = await startTestServer();
      const answer = await get(`${server.url}/leaderboard?limit=${limit}`);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ error: 'Validation Error' });
    },
  );

  test('a sign of life, and any origin may call', async () => {
    const server = await startTestServer();
    const health = await get(`${server.url}/health`, { origin: 'https://elsewhere.example' });
    expect(health.json).toEqual({ status: 'ok', timestamp: expect.any(String) });
    expect(health.headers.get('access-control-allow-origin')).toBe('*');
    const preflight = await fetch(`${server.url}/polls`, {
      method: 'OPTIONS',
      headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    const api = await get(`${server.url}/api/v1/polls`, { origin: 'https://elsewhere.example' });
    expect(api.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('polls made elsewhere keep their own rules', async () => {
    const server = await startTestServer();
    const hidden = await createPoll(server.url, { visibility: 'manager' });
    expect((await get(`${server.url}/polls/${hidden.id}`)).json).toMatchObject({ total_votes: null, expired_at: null });
    const cookies = await createPoll(server.url, { electorate: 'cookie' });
    expect((await post(`${server.url}/polls/${cookies.id}/vote`, { user_id: 'u', option_id: '1' })).status).toBe(403);
  });

  test('the preset listens where the original did, and reads its variables', () => {
    const env = {
      POSTGRES_HOST: 'db',
      POSTGRES_PORT: '5433',
      POSTGRES_USER: 'u',
      POSTGRES_PASSWORD: 'p',
      POSTGRES_DB: 'd',
      NODE_ENV: 'production',
    };
    const config = parseConfig({ argv: ['--preset', 'party'], env });
    expect(config.port).toBe(3000);
    expect(config.database.kind === 'postgres' && config.database.url.reveal()).toBe('postgres://u:p@db:5433/d');
  });
});

describe('contract party: at the limits', () => {
  test('a user is text of up to 255 characters of any script, or a number that is exact', async () => {
    const server = await startTestServer();
    const poll = await makePoll(server);
    for (const user of ['🗳️'.slice(0, 2).repeat(255), 'é'.repeat(255), ' ', '0', -1, 2.5, Number.MAX_SAFE_INTEGER]) {
      expect([user, (await vote(server, poll, user)).status]).toEqual([user, 200]);
    }
    for (const user of [
      '🗳️'.slice(0, 2).repeat(256),
      'x\u0000',
      '\ud800',
      true,
      ['u'],
      Number.MAX_SAFE_INTEGER + 1,
      1e300,
    ]) {
      expect([user, (await vote(server, poll, user)).status]).toEqual([user, 400]);
    }
    expect((await get(`${server.url}/polls/${poll.id}`)).json).toMatchObject({ total_votes: 7 });
  });

  test('a poll of two hundred long options is made, and one more is refused in the words of the contract', async () => {
    const server = await startTestServer();
    const options = Array.from({ length: 201 }, (_, index) => `option ${index} `.padEnd(500, '選'));
    expect((await makePoll(server, options.slice(1))).options).toHaveLength(200);
    const more = await post(`${server.url}/polls`, { question: 'Which?', options, expired_at: future });
    expect([more.status, more.json]).toEqual([
      400,
      { error: 'Validation Error', message: 'Options must be an array with at most 200 items' },
    ]);
  });

  test('unknown fields beside the known ones change nothing', async () => {
    const server = await startTestServer();
    const answer = await post(`${server.url}/polls`, {
      question: 'Which?',
      options: ['a', 'b'],
      expired_at: future,
      electorate: 'open',
      total_votes: 99,
    });
    const poll = answer.json as PartyPoll;
    expect([answer.status, poll.total_votes]).toEqual([201, 0]);
    expect((await get(`${server.url}/api/v1/polls/${poll.id}`)).json).toMatchObject({ electorate: 'declared' });
    const cast = { user_id: 'u', option_id: poll.options[0]?.option_id, weight: 5 };
    expect((await post(`${server.url}/polls/${poll.id}/vote`, cast)).status).toBe(200);
    expect((await get(`${server.url}/polls/${poll.id}`)).json).toMatchObject({ total_votes: 1 });
  });

  test('a user who has voted is known after a restart, and a vote sent again with its key is the same vote', async () => {
    const first = await startTestServer();
    const poll = await makePoll(first);
    const body = { user_id: 'u', option_id: poll.options[1]?.option_id };
    const cast = (url: string, headers = {}) => post(`${url}/polls/${poll.id}/vote`, body, headers);
    const answer = await cast(first.url, { 'idempotency-key': 'k' });
    expect(answer.json).toMatchObject({
      poll_id: poll.id,
      option_id: body.option_id,
      user_id: 'u',
      vote_id: expect.any(String),
    });
    await first.stop();
    const second = await startOn(first.databaseUrl);
    expect((await cast(second.url, { 'idempotency-key': 'k' })).text).toBe(answer.text);
    expect((await cast(second.url)).status).toBe(409);
    const { vote_id: voteId } = answer.json as { vote_id: string };
    expect((await get(`${second.url}/api/v1/ballots/${voteId}`)).json).toMatchObject({ status: 'counted' });
  });

  test('a poll that expired while no server ran takes no vote, is shown, and is off the leaderboard', async () => {
    const first = await startTestServer('--preset', 'none');
    const poll = await makePoll(first);
    expect((await vote(first, poll, 'early')).status).toBe(200);
    await first.stop();
    const second = await startOn(first.databaseUrl, ['--preset', 'none']);
    await second.query('update polls set closes_at = clock_timestamp() where id = $1', [poll.id]);
    await second.stop();
    const third = await startOn(first.databaseUrl, ['--preset', 'none']);
    const late = await vote(third, poll, 'late');
    expect([late.status, late.json]).toEqual([410, { error: 'Gone', message: 'Poll has expired' }]);
    expect((await get(`${third.url}/polls/${poll.id}`)).json).toMatchObject({ id: poll.id, total_votes: 1 });
    expect((await get(`${third.url}/leaderboard`)).json).toMatchObject({ data: [] });
    expect(await third.query('select 1 from ballots')).toHaveLength(1);
  });

  test('refusals, too, may be read by pages of any origin, and a preflight allows what the contract takes', async () => {
    const server = await startTestServer();
    const origin = { origin: 'https://elsewhere.example' };
    for (const answer of [
      await get(`${server.url}/polls/nonsense`, origin),
      await get(`${server.url}/leaderboard?limit=0`, origin),
      await post(`${server.url}/polls`, '{', origin),
      await post(`${server.url}/polls`, 'x'.repeat(5_000_000), origin),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    }
    const asked = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,idempotency-key',
    };
    for (const path of ['/polls', '/polls/any/vote', '/leaderboard', '/health']) {
      const preflight = await send('OPTIONS', `${server.url}${path}`, undefined, { ...origin, ...asked });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-methods')).toMatch(/GET.*POST/u);
      expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type,idempotency-key');
    }
    const vote = await send('OPTIONS', `${server.url}/vote`, undefined, { ...origin, ...asked });
    expect(vote.headers.get('access-control-allow-origin')).toBeNull();
  });
});
