import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { get, hostileBodies, post, send } from '../support/http.ts';
import { startOn, startTestServer, type TestServer } from '../support/server.ts';
import { ask } from '../support/wire.ts';

const run = promisify(execFile);
const none = { name: 'P2_user_generated_content', cumulative_vote_count: 0 };

async function countRows(server: TestServer): Promise<number> {
  const [row] = await server.query<{ count: string }>('select count(*) from ballots');
  return Number(row?.count);
}

describe('contract features', () => {
  test('the curl lines of the contract work as they stand', async () => {
    const server = await startTestServer();
    const port = new URL(server.url).port;
    const lines = [
      `curl -X POST -H "Content-Type: application/json" -d '{"feature_id": 1}' http://localhost:8000/vote`,
      `curl -X GET -H "Content-Type: application/json" http://localhost:8000/result`,
    ].map((line) => line.replace('localhost:8000', `localhost:${port}`));
    const answers = [];
    for (const line of lines) answers.push((await run('sh', ['-c', line])).stdout);
    expect(answers[0]).toBe('{"success":true,"message":"Voted successfully"}');
    expect(answers[1]).toBe(
      '{"features":[{"name":"P1_chatbot","cumulative_vote_count":1},{"name":"P2_user_generated_content","cumulative_vote_count":0},' +
        '{"name":"P3_personalized_push","cumulative_vote_count":0}],"total_votes_last_10_min":1}',
    );
  });

  test('a vote is counted once per request, and a retry with the same key once in all', async () => {
    const server = await startTestServer();
    for (const id of [1, 1, '2', 3]) {
      const answer = await post(`${server.url}/vote`, { feature_id: id });
      expect([answer.status, answer.json]).toEqual([200, { success: true, message: 'Voted successfully' }]);
    }
    for (let retry = 0; retry < 3; retry += 1) {
      const answer = await post(`${server.url}/vote`, { feature_id: 1 }, { 'idempotency-key': '"k1"' });
      expect(answer.status).toBe(200);
    }
    expect((await get(`${server.url}/result`)).json).toEqual({
      features: [
        { name: 'P1_chatbot', cumulative_vote_count: 3 },
        { name: 'P2_user_generated_content', cumulative_vote_count: 1 },
        { name: 'P3_personalized_push', cumulative_vote_count: 1 },
      ],
      total_votes_last_10_min: 5,
    });
    expect(await countRows(server)).toBe(5);
  });

  test('every wrong request is refused in the words of the contract and leaves nothing behind', async () => {
    const server = await startTestServer();
    const refusals: [body: string, message: string][] = [
      ['{}', 'Missing feature ID in request body'],
      ['[]', 'Missing feature ID in request body'],
      ['7', 'Missing feature ID in request body'],
      ['null', 'Missing feature ID in request body'],
      ['{"feature_id": 99}', 'Invalid feature ID'],
      ['{"feature_id": 0}', 'Invalid feature ID'],
      ['{"feature_id": -1}', 'Invalid feature ID'],
      ['{"feature_id": "abc"}', 'Invalid feature ID'],
      ['{"feature_id": ""}', 'Invalid feature ID'],
      ['{"feature_id": "1 "}', 'Invalid feature ID'],
      ['{"feature_id": "1e0"}', 'Invalid feature ID'],
      ['{"feature_id": null}', 'Invalid feature ID'],
      ['{"feature_id": true}', 'Invalid feature ID'],
      ['{"feature_id": 2.9}', 'Invalid feature ID'],
      ['{"feature_id": [1]}', 'Invalid feature ID'],
      ['{"feature_id": {}}', 'Invalid feature ID'],
      ['{"feature_id": 99999999999999999999}', 'Invalid feature ID'],
      ['{"feature_id": 1', 'Malformed JSON in request body'],
      ['', 'Malformed JSON in request body'],
    ];
    for (const [body, message] of refusals) {
      const answer = await post(`${server.url}/vote`, body);
      expect([body, answer.status, answer.json]).toEqual([body, 400, { success: false, message }]);
    }
    expect(await countRows(server)).toBe(0);
  });

  test.for(hostileBodies)('%s gets a 4xx and leaves nothing behind', async ([, body]) => {
    const server = await startTestServer();
    const answer = await post(`${server.url}/vote`, body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await countRows(server)).toBe(0);
  });

  test('another method is answered with 405 and Allow', async () => {
    const server = await startTestServer();
    const answer = await get(`${server.url}/vote`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toContain('POST');
    expect((await send('DELETE', `${server.url}/result`)).headers.get('allow')).toContain('GET');
  });

  test('votes leave the ten-minute window without a new vote, and stay in the total', async () => {
    const first = await startTestServer();
    await post(`${first.url}/vote`, { feature_id: 1 });
    await post(`${first.url}/vote`, { feature_id: 1 });
    // One vote grows old while no server runs: the window is read from the ledger at the next start.
    await first.query(
      `update tally_seconds set votes = votes - 1 where ctid = (select ctid from tally_seconds limit 1)`,
    );
    // It is old enough to be soon gone, and young enough to be seen at the start, which may take its time.
    await first.query(
      `insert into tally_seconds (second, poll_no, option_no, slot, votes)
      select date_trunc('second', clock_timestamp()) - interval '588 seconds', poll_no, option_no, 77, 1 from tally_seconds limit 1`,
    );
    const second = await startOn(first.databaseUrl);
    const result = async () =>
      (await get(`${second.url}/result`)).json as {
        total_votes_last_10_min: number;
        features: { cumulative_vote_count: number }[];
      };
    expect((await result()).total_votes_last_10_min).toBe(2);
    await expect.poll(async () => (await result()).total_votes_last_10_min).toBe(1);
    expect((await result()).features[0]?.cumulative_vote_count).toBe(2);
  });

  test('features stand in the order of their ids, also those without votes', async () => {
    const server = await startTestServer();
    await post(`${server.url}/vote`, { feature_id: 3 });
    const { features } = (await get(`${server.url}/result`)).json as { features: { name: string }[] };
    expect(features.map(({ name }) => name)).toEqual([
      'P1_chatbot',
      'P2_user_generated_content',
      'P3_personalized_push',
    ]);
    expect(features[1]).toEqual(none);
  });

  test('without its board the contract has no features and takes no votes', async () => {
    const server = await startTestServer('--preset', 'none');
    expect((await get(`${server.url}/result`)).json).toEqual({ features: [], total_votes_last_10_min: 0 });
    expect((await post(`${server.url}/vote`, { feature_id: 1 })).status).toBe(400);
  });

  test('the board is an ordinary poll with a tally and a place on the leaderboard', async () => {
    const server = await startTestServer();
    await post(`${server.url}/vote`, { feature_id: 2 });
    expect((await get(`${server.url}/api/v1/polls/features/tally`)).json).toMatchObject({
      total: 1,
      lastTenMinutes: 1,
    });
    const { entries } = (await get(`${server.url}/api/v1/leaderboard`)).json as { entries: object[] };
    expect(entries[0]).toMatchObject({ pollSlug: 'features', optionId: '2', votes: 1 });
  });

  test('the front door says healthy to programs and shows a page to browsers', async () => {
    const server = await startTestServer();
    expect((await get(`${server.url}/`)).json).toEqual({ status: 'healthy' });
    const page = await get(`${server.url}/`, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain('Which feature should we build next?');
  });

  test('an integer is one however JSON writes it, and fields beside it change nothing', async () => {
    const server = await startTestServer();
    for (const body of [
      '{"feature_id": 1.0}',
      '{"feature_id": 1e0}',
      '{"feature_id": "001"}',
      '{"feature_id": 1, "weight": 9}',
    ]) {
      expect([body, (await post(`${server.url}/vote`, body)).status]).toEqual([body, 200]);
    }
    expect((await get(`${server.url}/result`)).json).toMatchObject({
      features: [{ cumulative_vote_count: 4 }, none, {}],
    });
  });

  test('bytes that are not UTF-8 and a wrong key are refused without a vote', async () => {
    const server = await startTestServer();
    const broken = await ask(server.url, {
      method: 'POST',
      path: '/vote',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"feature_id":1,"note":"\xff"}', 'latin1'),
    });
    expect([broken.status, broken.body]).toEqual([400, '{"success":false,"message":"Malformed JSON in request body"}']);
    const key = await post(`${server.url}/vote`, { feature_id: 1 }, { 'idempotency-key': 'k'.repeat(256) });
    expect([key.status, key.json]).toMatchObject([400, { code: 'request_malformed' }]);
    expect(await countRows(server)).toBe(0);
  });

  test('votes that are sent at the same time all count', async () => {
    const server = await startTestServer();
    const votes = Array.from({ length: 300 }, (_, index) =>
      post(`${server.url}/vote`, { feature_id: 1 + (index % 3) }),
    );
    expect(new Set((await Promise.all(votes)).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await get(`${server.url}/result`)).json).toMatchObject({
      features: [{ cumulative_vote_count: 100 }, { cumulative_vote_count: 100 }, { cumulative_vote_count: 100 }],
      total_votes_last_10_min: 300,
    });
  });

  test('who names JSON before HTML, or likes it better, is no browser', async () => {
    const server = await startTestServer();
    for (const [accept, isBrowser] of [
      ['text/html', true],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
      ['text/html;q=0.9, application/json;q=0.1', true],
      ['application/json, text/html', false],
      ['text/html;q=0.5, application/json', false],
      ['text/html;q=0', false],
      ['*/*', false],
      ['', false],
    ] as const) {
      const answer = await get(`${server.url}/`, { accept });
      expect([accept, answer.headers.get('content-type')?.startsWith('text/html')]).toEqual([accept, isBrowser]);
      expect(answer.headers.get('vary')?.toLowerCase()).toContain('accept');
    }
  });
});
