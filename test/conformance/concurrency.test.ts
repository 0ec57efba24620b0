/** Two servers on one database, and one voter who is everywhere at once. */
import { expect, test } from 'vitest';
import { createPoll, get, post, send, type Answer, type TestPoll, type TestReceipt } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';

const flags = ['--preset', 'none', '--recorder-lanes', '3'];

async function startTwo(): Promise<[TestServer, TestServer]> {
  const first = await startTestServer(...flags);
  return [first, await startOn(first.databaseUrl, flags)];
}

/** The servers take turns. */
function castMany(
  servers: readonly TestServer[],
  poll: TestPoll,
  count: number,
  ballotOf: (index: number) => object,
  headers = {},
): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      post(`${servers[index % servers.length]?.url}/api/v1/polls/${poll.id}/ballots`, ballotOf(index), headers),
    ),
  );
}

const optionOf = (index: number): string => String(1 + (index % 3));
const options = ['a', 'b', 'c'];

/** What a server that starts now shows, and what the ballots say. */
async function expectTallyOfLedger(server: TestServer, poll: TestPoll): Promise<void> {
  const again = await startOn(server.databaseUrl, flags);
  const { total, counts, lastTenMinutes } = (await get(`${again.url}/api/v1/polls/${poll.id}/tally`)).json as {
    total: number;
    lastTenMinutes: number;
    counts: { optionId: string; votes: number; lastTenMinutes: number }[];
  };
  const rows = await again.query<{ option: string; votes: number }>(
    'select selections as option, count(*)::integer as votes from ballots join polls using (poll_no) where polls.id = $1 group by 1 order by 1',
    [poll.id],
  );
  const counted = counts.filter(({ votes }) => votes > 0).map(({ optionId, votes }) => ({ option: optionId, votes }));
  expect(counted).toEqual(rows);
  const sum = rows.reduce((votes, row) => votes + row.votes, 0);
  expect([total, lastTenMinutes]).toEqual([sum, sum]);
  await again.stop();
}

test('of the ballots that one voter sends to two servers at the same time one is recorded, in every round', async () => {
  const servers = await startTwo();
  for (let round = 0; round < 50; round += 1) {
    const poll = await createPoll(servers[round % 2]?.url ?? '', { options });
    const answers = await castMany(servers, poll, 100, (index) => ({ selections: [optionOf(index)], userId: 'one' }));
    const statuses = Map.groupBy(answers, ({ status }) => status);
    expect([round, statuses.get(201)?.length, statuses.get(409)?.length]).toEqual([round, 1, 99]);
    const receipt = statuses.get(201)?.[0]?.json as TestReceipt | undefined;
    for (const { json } of statuses.get(409) ?? [])
      expect(json).toMatchObject({ code: 'ballot_already_cast', ballotId: receipt?.ballotId });
  }
  expect(await servers[0].query('select 1 from ballots')).toHaveLength(50);
});

test('a retry gets the same receipt from either server, whoever recorded it', async () => {
  const servers = await startTwo();
  for (const fields of [{}, { revote: 'replace' }, { electorate: 'open' }, { electorate: 'cookie' }]) {
    const voter = 'electorate' in fields ? {} : { userId: 'one' };
    for (let round = 0; round < 10; round += 1) {
      const poll = await createPoll(servers[round % 2]?.url ?? '', fields);
      const answers = await castMany(servers, poll, 50, () => ({ selections: ['2'], ...voter }), {
        'idempotency-key': '"same"',
      });
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(201);
      const rows = await servers[0].query('select 1 from ballots join polls using (poll_no) where polls.id = $1', [
        poll.id,
      ]);
      expect(rows).toHaveLength(1);
    }
  }
});

test('one key for different selections is one ballot, and the others are told so', async () => {
  const servers = await startTwo();
  for (const fields of [{}, { revote: 'replace' }]) {
    const poll = await createPoll(servers[0].url, { ...fields, options });
    const answers = await castMany(servers, poll, 60, (index) => ({ selections: [optionOf(index)], userId: 'one' }), {
      'idempotency-key': 'k',
    });
    const statuses = Map.groupBy(answers, ({ status }) => status);
    expect(new Set(statuses.keys())).toEqual(new Set([201, 422]));
    expect(new Set(statuses.get(201)?.map(({ text }) => text)).size).toBe(1);
    expect(statuses.get(201)).toHaveLength(20);
  }
});

test('of a hundred changes of mind over two servers all are accepted, one counts, and the totals follow', async () => {
  const servers = await startTwo();
  for (let round = 0; round < 5; round += 1) {
    const poll = await createPoll(servers[0].url, { revote: 'replace', options });
    const answers = await castMany(servers, poll, 100, (index) => ({ selections: [optionOf(index)], userId: 'one' }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const history = await servers[0].query<{ ballot_id: string; selections: string }>(
      'select ballot_id, history.selections from ballot_history as history join polls using (poll_no) where polls.id = $1 order by ballot_id desc',
      [poll.id],
    );
    const counted = await servers[0].query<{ ballot_id: string; selections: string }>(
      'select ballot_id, ballots.selections from ballots join polls using (poll_no) where polls.id = $1',
      [poll.id],
    );
    expect(history).toHaveLength(100);
    expect(counted).toEqual(history.slice(0, 1));
    await expectTallyOfLedger(servers[0], poll);
  }
});

test('voters who send to both servers count once each, and a server that starts afterwards shows just them', async () => {
  const servers = await startTwo();
  const polls = [
    await createPoll(servers[0].url, { options }),
    await createPoll(servers[1].url, { options, revote: 'replace' }),
  ];
  const voters = 400;
  for (const poll of polls) {
    const casts = Array.from({ length: 3 }, (_, turn) =>
      castMany(turn === 1 ? servers : [servers[1], servers[0]], poll, voters, (index) => ({
        selections: [optionOf(index + turn)],
        userId: `voter ${index}`,
      })),
    );
    const answers = (await Promise.all(casts)).flat();
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    const rows = await servers[0].query<{ rows: number; voters: number }>(
      'select count(*)::integer as rows, count(distinct voter_key)::integer as voters from ballots join polls using (poll_no) where polls.id = $1',
      [poll.id],
    );
    expect(rows).toEqual([{ rows: voters, voters }]);
  }
  await servers[0].stop();
  const last = await startOn(servers[1].databaseUrl, flags);
  await servers[1].stop();
  for (const poll of polls) await expectTallyOfLedger(last, poll);
});

test('a ballot through a server that did not see the options change counts for what it names, or not at all', async () => {
  const [first, second] = await startTwo();
  const poll = await createPoll(first.url, {
    options: [
      { id: 'tea', text: 'Tea' },
      { id: 'coffee', text: 'Coffee' },
    ],
  });
  expect((await get(`${second.url}/api/v1/polls/${poll.id}`)).status).toBe(200);
  const turned = {
    options: [
      { id: 'coffee', text: 'Coffee' },
      { id: 'tea', text: 'Tea' },
    ],
  };
  expect(
    (await send('PATCH', `${first.url}/api/v1/polls/${poll.id}`, turned, { 'manage-key': poll.manageKey })).status,
  ).toBe(200);
  const cast = await post(`${second.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['tea'], userId: 'u' });
  const rows = await second.query<{ option: string }>(
    'select options.id as option from ballots join options on options.poll_no = ballots.poll_no and options.option_no = ballots.selections::smallint',
  );
  expect(rows).toEqual(cast.status === 201 ? [{ option: 'tea' }] : []);
});

test('a poll that was closed on one server takes nothing on the other, which says why', async () => {
  const [first, second] = await startTwo();
  const poll = await createPoll(first.url);
  expect((await get(`${second.url}/api/v1/polls/${poll.id}`)).status).toBe(200);
  await post(`${first.url}/api/v1/polls/${poll.id}/close`, '', { 'manage-key': poll.manageKey });
  const late = await post(`${second.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: 'u' });
  expect(await second.query('select 1 from ballots')).toEqual([]);
  expect([late.status, late.json]).toMatchObject([409, { code: 'poll_closed', recorded: 'no' }]);
});
