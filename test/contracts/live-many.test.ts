import { describe, expect, test } from 'vitest';
import type { Answer } from '../support/http.ts';
import { expectVotes, flagsOfLive as flags, vote } from '../support/live-votes.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { createDatabase, startOn, startTestServer, type TestServer } from '../support/server.ts';

/** On one database. */
async function startTwo(...more: string[]): Promise<readonly [TestServer, TestServer]> {
  const database = await createDatabase();
  return [await startOn(database, [...flags, ...more]), await startOn(database, [...flags, ...more])];
}

/** So many votes at once, by turns at one server and at the other. */
function voteAtBoth(
  servers: readonly [TestServer, TestServer],
  count: number,
  toVote: (index: number) => readonly [pollId: string, optionId: string],
): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => vote(index % 2 === 0 ? servers[0] : servers[1], ...toVote(index))),
  );
}

describe('contract live: many at once', () => {
  test('fifty-one first votes at two servers make one poll, and all of them count', async () => {
    const servers = await startTwo();
    for (let round = 1; round <= 10; round += 1) {
      const id = `round ${round}`;
      const answers = await voteAtBoth(servers, 51, (index) => [id, `option ${index % 3}`]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      for (const server of servers) await expectVotes(server, id, { 'option 0': 17, 'option 1': 17, 'option 2': 17 });
    }
    expect(await servers[0].query('select from polls')).toHaveLength(10);
    expect(await servers[0].query('select from ballots')).toHaveLength(510);
  });

  test('a thousand options, wanted by two servers at once, are numbered without a gap and each has its votes', async () => {
    const servers = await startTwo();
    const options = Array.from({ length: 1_000 }, (_, index) => `option ${index}`);
    const answers = await voteAtBoth(servers, 2_000, (index) => ['large', options[Math.floor(index / 2)] ?? '']);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (const server of servers) {
      await expectVotes(server, 'large', Object.fromEntries(options.map((option) => [option, 2])));
    }
    const rows = await servers[0].query('select count(*) as options, max(option_no) as last from options');
    expect(rows).toEqual([{ options: '1000', last: 1_000 }]);
    const full = await vote(servers[1], 'large', 'one more');
    expect([full.status, full.json]).toEqual([429, { detail: 'This poll has as many options as it may have.' }]);
    expect((await vote(servers[1], 'large', 'option 7')).status).toBe(200);
  });

  test('an option that is added changes nothing for ballots on their way', async () => {
    const server = await startTestServer(...flags);
    await vote(server, 'steady', 'A');
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => vote(server, 'steady', index % 3 === 0 ? `new ${index}` : 'A')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const counted = await server.query(
      `select options.id = 'A' as known, count(*)::integer as votes
      from ballots join options on options.poll_no = ballots.poll_no and options.option_no::text = ballots.selections
      group by 1 order by 1`,
    );
    expect(counted).toEqual([
      { known: false, votes: 100 },
      { known: true, votes: 201 },
    ]);
  });
});

describe('contract live: caps', () => {
  test('no more polls and options are made than the server may hold, and those that are there go on', async () => {
    const servers = await startTwo('--live-polls-max', '5', '--live-options-max', '3');
    const polls = await voteAtBoth(servers, 60, (index) => [`poll ${Math.floor(index / 2)}`, 'A']);
    const made = polls.filter(({ status }) => status === 200);
    const refused = polls.filter(({ status }) => status !== 200);
    expect(made).toHaveLength(10);
    for (const answer of refused) {
      expect([answer.status, answer.json]).toEqual([
        429,
        { detail: 'This server holds as many polls of this kind as it may.' },
      ]);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/u);
    }
    const rows = await servers[0].query<{ made_as: string }>('select made_as from polls');
    expect(rows).toHaveLength(5);
    const id = rows[0]?.made_as ?? '';
    const options = await voteAtBoth(servers, 40, (index) => [id, `option ${index}`]);
    expect(options.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(options.filter(({ status }) => status === 429)).toHaveLength(38);
    expect(await servers[0].query('select from options')).toHaveLength(7);
    expect((await vote(servers[1], id, 'A')).status).toBe(200);
  });

  test('while the ledger is away a first vote is answered with 503, and made later', async () => {
    const database = await createDatabase();
    const proxy = await startPostgresProxy(database);
    const server = await startOn(database, flags, { DATABASE_URL: proxy.url });
    const voting = voteAtBoth([server, server], 20, (index) => [`poll ${index}`, 'A']);
    // Until one of them is at work in the ledger, or all of them have been.
    const atWork = `select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%lock_polls_by_vote%'`;
    let ended = false;
    const end = () => (ended = true);
    voting.then(end, end);
    await expect.poll(async () => ended || (await server.query(atWork)).length > 0, { interval: 1 }).toBe(true);
    proxy.cut();
    const answers = await voting;
    for (const { status, headers, json } of answers) {
      expect([200, 503]).toContain(status);
      if (status === 503) expect([headers.get('retry-after'), json]).toEqual(['2', { detail: expect.any(String) }]);
    }
    const counted = answers.filter(({ status }) => status === 200).length;
    expect((await server.query('select from ballots')).length).toBeGreaterThanOrEqual(counted);
    await expect.poll(async () => (await vote(server, 'later', 'A')).status).toBe(200);
    await expectVotes(server, 'later', { A: 1 });
  });

  test('with a create key a vote makes a poll only for whoever has it', async () => {
    const server = await startTestServer(...flags, '--create-key', 'hush-hush');
    expect((await vote(server, '1', 'A')).status).toBe(403);
    expect((await vote(server, '1', 'A', { 'create-key': 'wrong' })).status).toBe(403);
    expect((await vote(server, '1', 'A', { 'create-key': 'hush-hush' })).status).toBe(200);
    expect((await vote(server, '1', 'B')).status).toBe(200);
    await expectVotes(server, '1', { A: 1, B: 1 });
  });
});
