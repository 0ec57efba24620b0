/** Times and names of polls at their limits. */
import { expect, test } from 'vitest';
import { createPoll, get, post, type TestPoll } from '../support/http.ts';
import { startOn, startTestServer } from '../support/server.ts';

const good = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'] };
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/u;

test('a day that no calendar has, and a year that the ledger writes in another way, are refused without a trace', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const time of [
    '0000-06-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '1969-12-31T23:59:59Z',
    '2030-02-30T00:00:00Z',
    '2031-02-29T12:00:00+01:00',
    '2030-04-31T00:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-01-01T23:60:00Z',
    '2030-00-01T00:00:00Z',
    '9999-12-31T23:59:59-14:00',
  ]) {
    for (const field of ['opensAt', 'closesAt']) {
      const answer = await post(`${server.url}/api/v1/polls`, { ...good, [field]: time });
      expect([time, answer.status, answer.json]).toMatchObject([
        time,
        422,
        { code: 'poll_invalid', violations: [{ pointer: `/${field}`, rule: 'no_such_date' }] },
      ]);
    }
  }
  expect(await server.query('select 1 from polls')).toEqual([]);
  expect((await get(`${server.url}/api/v1/polls`)).json).toEqual({ polls: [], next: null });
});

test('times are read to the millisecond, in any zone, and shown in UTC', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const [given, shown] of [
    ['2080-02-29T23:59:59.123Z', '2080-02-29T23:59:59.123Z'],
    ['2080-02-29T23:59:59.123999999Z', '2080-02-29T23:59:59.123Z'],
    ['2080-03-01T01:29:59+01:30', '2080-02-29T23:59:59.000Z'],
    ['2080-02-29T12:59:59-11:00', '2080-02-29T23:59:59.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ]) {
    const { id } = await createPoll(server.url, { closesAt: given });
    expect((await get(`${server.url}/api/v1/polls/${id}`)).json).toMatchObject({ closesAt: shown });
  }
  const { polls } = (await get(`${server.url}/api/v1/polls`)).json as { polls: { createdAt: string }[] };
  expect(polls).toHaveLength(5);
  for (const { createdAt } of polls) expect(createdAt).toMatch(rfc3339);
});

test('a poll is not postponed beyond the years that can be written', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { closesAt: '9999-12-31T00:00:00Z' });
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const answer = await post(`${path}/extend`, { minutes: 525_600 }, { 'manage-key': poll.manageKey });
  const { closesAt } = (await get(path)).json as { closesAt: string };
  expect(closesAt).toBe('9999-12-31T00:00:00.000Z');
  expect([answer.status, answer.json]).toMatchObject([409, { code: 'poll_state_conflict' }]);
});

test('a poll whose question reads like an id keeps its address over a restart', async () => {
  const first = await startTestServer('--preset', 'none');
  const poll = await createPoll(first.url, { question: 'Deadbeef cafe: which one?' });
  await post(`${first.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  expect((await get(`${first.url}/api/v1/polls/${poll.slug}`)).status).toBe(200);
  await first.stop();
  const second = await startOn(first.databaseUrl, ['--preset', 'none']);
  expect((await get(`${second.url}/api/v1/polls/${poll.slug}`)).json).toMatchObject({ id: poll.id });
});

test('questions in any script have an address that works', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const question of [
    '誰に投票しますか？',
    'مَن؟',
    'Ünïcödé — ¿qué?',
    '🗳️',
    '--',
    'x'.repeat(1_000),
    'a '.repeat(500),
  ]) {
    const poll = await createPoll(server.url, { question });
    expect(poll.slug).toMatch(/^(?=.{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*$/u);
    expect((await get(`${server.url}/api/v1/polls/${poll.slug}`)).json).toMatchObject({ id: poll.id, question });
  }
});

test('a slug that looks like an id is refused', async () => {
  const server = await startTestServer('--preset', 'none');
  for (const slug of ['deadbeef-cafe-1', '01a1fc01-8268-76fd-943f-38432e40e435']) {
    const answer = await post(`${server.url}/api/v1/polls`, { ...good, slug });
    expect([answer.status, answer.json]).toMatchObject([422, { violations: [{ pointer: '/slug' }] }]);
  }
});

test('the last page of a list says so, also when it is full, and both lists agree', async () => {
  const server = await startTestServer('--preset', 'none');
  const polls: TestPoll[] = [];
  for (let count = 0; count < 4; count += 1) polls.unshift(await createPoll(server.url));
  for (const limit of [1, 2, 3, 4, 5]) {
    const ours: string[] = [];
    const partys: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const before: string = next === '' ? '' : `&before=${next}`;
      const page = (await get(`${server.url}/api/v1/polls?limit=${limit}${before}`)).json as {
        polls: TestPoll[];
        next: string | null;
      };
      const same = (await get(`${server.url}/polls?limit=${limit}${before}`)).json as {
        data: TestPoll[];
        next: string | null;
      };
      expect(page.polls.length).toBeGreaterThan(0);
      expect(same.next).toBe(page.next);
      ours.push(...page.polls.map(({ id }) => id));
      partys.push(...same.data.map(({ id }) => id));
      ({ next } = page);
    }
    expect(ours).toEqual(polls.map(({ id }) => id));
    expect(partys).toEqual(ours);
  }
});

test('a query that makes no sense is refused, or finds nothing', async () => {
  const server = await startTestServer();
  for (const query of [
    'limit=',
    'limit=0x10',
    'limit=1e1',
    'limit=%20',
    'limit=-1',
    'limit=1&limit=2',
    'limit=NaN',
    'limit=99999999999999999999',
  ]) {
    expect([query, (await get(`${server.url}/api/v1/polls?${query}`)).status]).toEqual([query, 400]);
    expect([query, (await get(`${server.url}/api/v1/leaderboard?${query}`)).status]).toEqual([query, 400]);
  }
  for (const code of ['%00', 'AAAAAA', '%F0%9F%97%B3', "'--", '']) {
    const found = await get(`${server.url}/api/v1/polls?joinCode=${code}`);
    expect([code, found.status, found.json]).toEqual([code, 200, { polls: [], next: null }]);
  }
  for (const before of ['%00', 'nobody', '', 'a'.repeat(300)]) {
    expect([before, (await get(`${server.url}/api/v1/polls?before=${before}`)).status]).toEqual([before, 404]);
  }
  expect((await get(`${server.url}/api/v1/polls?colour=red`)).status).toBe(200);
});
