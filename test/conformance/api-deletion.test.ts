/** Deletion, met by everything else that may be on its way to the same poll. */
import { expect, test } from 'vitest';
import { findTallyMismatches } from '../../server/ledger/tallies.ts';
import { createPool } from '../../server/ledger/postgres.ts';
import { createPoll, get, post, send, type TestPoll } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

const rounds = 10;
const png = Buffer.concat([Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'), Buffer.alloc(100)]);

const keyOf = (poll: TestPoll) => ({ 'manage-key': poll.manageKey });
const cast = (server: TestServer, poll: TestPoll, userId: string) =>
  post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId });
const remove = (server: TestServer, poll: TestPoll) =>
  send('DELETE', `${server.url}/api/v1/polls/${poll.id}`, { question: 'Tea or coffee?' }, keyOf(poll));

async function numberOf(server: TestServer, { id }: TestPoll): Promise<number> {
  const [row] = await server.query<{ poll_no: number }>('select poll_no from polls where id = $1', [id]);
  return row?.poll_no ?? 0;
}

/** Everything that a poll may be asked for, at once, and its deletion among it. */
async function askForEverything(server: TestServer, poll: TestPoll): Promise<number[]> {
  const url = `${server.url}/api/v1/polls/${poll.id}`;
  const headers = keyOf(poll);
  const answers = await Promise.all([
    ...Array.from({ length: 30 }, (_, voter) => cast(server, poll, `early-${voter}`)),
    send('PATCH', url, { visibility: 'after_close' }, headers),
    fetch(`${url}/logo`, { method: 'PUT', body: new Uint8Array(png), headers }),
    remove(server, poll),
    fetch(`${url}/logo`, { method: 'PUT', body: new Uint8Array(png), headers }),
    post(`${url}/pause`, undefined, headers),
    remove(server, poll),
    ...['', '/tally', '/series', '/log', '/health', '/export?format=csv'].map((path) => get(`${url}${path}`, headers)),
    ...Array.from({ length: 30 }, (_, voter) => cast(server, poll, `late-${voter}`)),
  ]);
  return answers.map(({ status }) => status);
}

async function findMismatches({ databaseUrl }: TestServer): Promise<unknown[]> {
  const options = { connectionsMax: 1, statementTimeoutMs: 10_000 };
  const pool = createPool({ connectionString: databaseUrl }, options, () => {});
  try {
    return await findTallyMismatches(pool);
  } finally {
    await pool.end();
  }
}

test('whatever meets a deletion is done or finds no poll, nothing brings the poll back, and the tallies stay right', async () => {
  const server = await startTestServer('--preset', 'none');
  const other = await createPoll(server.url);
  for (let round = 1; round <= rounds; round += 1) {
    const poll = await createPoll(server.url, { revote: round % 2 === 0 ? 'replace' : 'refuse' });
    const [statuses, counted] = await Promise.all([
      askForEverything(server, poll),
      cast(server, other, `voter-${round}`),
    ]);
    expect(counted.status).toBe(201);
    // 409: a ballot that met the pause.
    expect(statuses.filter((status) => ![200, 201, 204, 404, 409].includes(status))).toEqual([]);
    expect(statuses).toContain(204);
    for (const path of ['', '/tally']) {
      expect((await get(`${server.url}/api/v1/polls/${poll.id}${path}`)).status).toBe(404);
    }
    expect((await cast(server, poll, 'anybody')).status).toBe(404);
    expect(await findMismatches(server)).toEqual([]);
  }
  expect((await get(`${server.url}/api/v1/polls/${other.id}/tally`)).json).toMatchObject({ total: rounds });
  await expect.poll(async () => (await server.query('select from deleted_polls')).length).toBe(0);
  for (const table of ['ballots', 'ballot_history', 'tallies', 'tally_seconds', 'options', 'poll_events']) {
    const left = await server.query(`select from ${table} where poll_no not in (select poll_no from polls)`);
    expect([table, left.length]).toEqual([table, 0]);
  }
});

test('a server that starts while the rest of a deleted poll is still there shows none of it, and removes it', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'open' });
  const other = await createPoll(server.url, { electorate: 'open' });
  for (const each of [poll, other]) await cast(server, each, 'anybody');
  const pollNo = await numberOf(server, poll);
  // As after a kill between the deletion and the end of its sweep.
  await server.query('insert into deleted_polls (poll_no) values ($1)', [pollNo]);
  await server.query('delete from tallies where poll_no = $1', [pollNo]);
  await server.query('delete from polls where poll_no = $1', [pollNo]);
  const next = await startOn(server.databaseUrl, ['--preset', 'none']);
  expect((await get(`${next.url}/api/v1/leaderboard?window=last_ten_minutes&limit=1`)).json).toMatchObject({
    entries: [{ pollId: other.id, votes: 1 }],
  });
  expect((await get(`${next.url}/api/v1/polls/${poll.id}/tally`)).status).toBe(404);
  expect(await findMismatches(next)).toEqual([]);
  await expect.poll(async () => (await next.query('select from deleted_polls')).length).toBe(0);
  for (const table of ['ballots', 'tally_seconds']) {
    const left = await next.query(`select from ${table} where poll_no = $1`, [pollNo]);
    expect([table, left.length]).toEqual([table, 0]);
  }
});

test('the number of a deleted poll is never given again, and its slug and its question are free', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { slug: 'drinks' });
  const pollNo = await numberOf(server, poll);
  await cast(server, poll, 'alice');
  expect((await remove(server, poll)).status).toBe(204);
  const again = await createPoll(server.url, { slug: 'drinks' });
  expect(await numberOf(server, again)).toBeGreaterThan(pollNo);
  expect((await get(`${server.url}/api/v1/polls/drinks/tally`)).json).toMatchObject({ pollId: again.id, total: 0 });
});
