import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPoll, get, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { closeSoon } from '../support/polls.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

type Step =
  | { kind: 'cast'; user: number; key: number; option: number }
  | { kind: 'close' | 'reopen' | 'pause' | 'open' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('cast' as const),
      user: fc.nat({ max: 5 }),
      key: fc.nat({ max: 8 }),
      option: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('close' as const, 'reopen' as const, 'pause' as const, 'open' as const),
    }),
  },
);

/** Steps that are sent at the same time, round after round. */
const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 16 }), { minLength: 1, maxLength: 6 });

async function take(server: TestServer, poll: TestPoll, each: Step): Promise<TestReceipt | null> {
  if (each.kind !== 'cast') {
    await post(`${server.url}/api/v1/polls/${poll.id}/${each.kind}`, '', { 'manage-key': poll.manageKey });
    return null;
  }
  const { user, key, option } = each;
  const body = { selections: [String(option)], userId: `user-${user}` };
  const answer = await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, body, { 'idempotency-key': `key-${key}` });
  expect(answer.status).toBeLessThan(500);
  return answer.status === 201 ? (answer.json as TestReceipt) : null;
}

async function expectConsistent(server: TestServer, poll: TestPoll): Promise<void> {
  const rows = await server.query<{ voters: string; rows: string; late: string }>(
    `select count(distinct voter_key) as voters, count(*) as rows, count(*) filter (where cast_at < opens_at) as late
    from ballots join polls using (poll_no) where polls.id = $1`,
    [poll.id],
  );
  expect(rows[0]?.voters).toBe(rows[0]?.rows);
  const counted = await server.query<{ option: string; votes: string }>(
    'select selections as option, count(*) as votes from ballots join polls using (poll_no) where polls.id = $1 group by 1',
    [poll.id],
  );
  const expected = [1, 2, 3].map((option) => Number(counted.find((row) => row.option === String(option))?.votes ?? 0));
  const tally = (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json as {
    total: number;
    lastTenMinutes: number;
    counts: { votes: number; lastTenMinutes: number }[];
  };
  expect(tally.counts.map(({ votes }) => votes)).toEqual(expected);
  expect(tally.counts.map(({ lastTenMinutes }) => lastTenMinutes)).toEqual(expected);
  expect([tally.total, tally.lastTenMinutes]).toEqual(Array(2).fill(expected.reduce((sum, votes) => sum + votes, 0)));
  for (const table of ['tallies', 'tally_seconds']) {
    const sums = await server.query<{ option_no: number; votes: string }>(
      `select option_no, sum(votes) as votes from ${table} join polls using (poll_no) where polls.id = $1 group by 1`,
      [poll.id],
    );
    expect([1, 2, 3].map((option) => Number(sums.find((row) => row.option_no === option)?.votes ?? 0))).toEqual(
      expected,
    );
  }
}

async function expectLastAcceptedCounts(server: TestServer, poll: TestPoll): Promise<void> {
  const overtaken = await server.query(
    `select 1 from ballots join polls using (poll_no)
    join ballot_history as history using (poll_no, voter_key)
    where polls.id = $1 and history.ballot_id > ballots.ballot_id`,
    [poll.id],
  );
  expect(overtaken).toEqual([]);
}

let server: TestServer;

test.for(['refuse', 'replace'] as const)(
  'for any interleaving of casts, retries and steps the tally is the count (%s)',
  async (revote) => {
    server = await startTestServer('--preset', 'none', '--recorder-lanes', '4', '--batch-ballots-max', '5');
    await fc.assert(
      fc.asyncProperty(rounds, async (steps) => {
        const poll = await createPoll(server.url, { options: ['a', 'b', 'c'], revote });
        const receipts = new Map<string, TestReceipt>();
        for (const round of steps) {
          const taken = await Promise.all(round.map(async (each) => [each, await take(server, poll, each)] as const));
          for (const [each, receipt] of taken) {
            if (each.kind !== 'cast' || receipt === null) continue;
            const key = `${each.user} ${each.key}`;
            expect(receipt).toEqual(receipts.get(key) ?? receipt);
            receipts.set(key, receipt);
          }
        }
        await expectConsistent(server, poll);
        if (revote === 'replace') await expectLastAcceptedCounts(server, poll);
      }),
      { numRuns: 25 },
    );
  },
);

test.for(['by time', 'by hand'] as const)(
  'ballots that come without pause while the poll closes %s count only inside it',
  async (way) => {
    server = await startTestServer('--preset', 'none', '--recorder-lanes', '4', '--batch-ballots-max', '20');
    for (let round = 0; round < 5; round += 1) {
      const { url } = server;
      const poll = await createPoll(url);
      const close = (): Promise<unknown> =>
        way === 'by time' ? closeSoon(url, poll) : take(server, poll, { kind: 'close' });
      let counted = 0;
      const closings: Promise<unknown>[] = [];
      const voteUntilRefused = async (client: number): Promise<void> => {
        for (let user = client; ; user += 50) {
          const receipt = await take(server, poll, { kind: 'cast', user, key: user, option: 1 });
          if (receipt === null) return;
          counted += 1;
          if (counted === 500) closings.push(close());
        }
      };
      await Promise.all(Array.from({ length: 50 }, (_, client) => voteUntilRefused(client)));
      await Promise.all(closings);
      const rows = await server.query<{ outside: string; rows: string }>(
        `select count(*) filter (where cast_at >= closes_at or cast_at < opens_at) as outside, count(*) as rows
      from ballots join polls using (poll_no) where polls.id = $1`,
        [poll.id],
      );
      expect(rows[0]).toEqual({ outside: '0', rows: String(counted) });
      expect(counted).toBeGreaterThanOrEqual(500);
    }
  },
);

test('of a hundred parallel ballots of one voter with different options exactly one is recorded, a hundred times over', async () => {
  server = await startTestServer('--preset', 'none', '--recorder-lanes', '4');
  for (let round = 0; round < 100; round += 1) {
    const poll = await createPoll(server.url, { options: ['a', 'b', 'c'] });
    const casts = Array.from({ length: 100 }, (_, index) =>
      post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [String(1 + (index % 3))], userId: 'one' }),
    );
    const statuses = Map.groupBy(await Promise.all(casts), ({ status }) => status);
    expect([statuses.get(201)?.length, statuses.get(409)?.length]).toEqual([1, 99]);
    const receipt = statuses.get(201)?.[0]?.json as TestReceipt;
    const named = new Set(statuses.get(409)?.map(({ json }) => (json as TestReceipt).ballotId));
    expect([...named]).toEqual([receipt.ballotId]);
  }
  expect(await server.query('select 1 from ballots')).toHaveLength(100);
});

test('a hundred parallel retries with one key get one receipt, also where ballots replace each other', async () => {
  server = await startTestServer('--preset', 'none', '--recorder-lanes', '4');
  for (const fields of [{}, { revote: 'replace' }, { electorate: 'open' }]) {
    const poll = await createPoll(server.url, fields);
    const body = { selections: ['2'], ...('electorate' in fields ? {} : { userId: 'one' }) };
    const casts = Array.from({ length: 100 }, () =>
      post(`${server.url}/api/v1/polls/${poll.id}/ballots`, body, { 'idempotency-key': '"the same"' }),
    );
    expect(new Set((await Promise.all(casts)).map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 1, version: 1 });
  }
});

test('of a hundred parallel ballots of one voter who may change all are accepted and the last counts', async () => {
  server = await startTestServer('--preset', 'none', '--recorder-lanes', '4');
  const poll = await createPoll(server.url, { revote: 'replace' });
  const casts = Array.from({ length: 100 }, (_, index) =>
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [String(1 + (index % 2))], userId: 'one' }),
  );
  expect(new Set((await Promise.all(casts)).map(({ status }) => status))).toEqual(new Set([201]));
  expect(await server.query('select 1 from ballot_history')).toHaveLength(100);
  expect(await server.query('select 1 from ballots')).toHaveLength(1);
  await expectLastAcceptedCounts(server, poll);
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 1 });
});
