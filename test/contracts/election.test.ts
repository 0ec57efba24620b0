import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  candidateIds,
  readResults,
  readStatus,
  sendVote,
  shareElection,
  startElection,
  startElectionOn,
  tokenOf,
  voteIdOf,
} from '../support/election.ts';
import { get, hostileBodies, post, send } from '../support/http.ts';
import { takeStep, type PollStepName } from '../support/polls.ts';
import { createDatabase, startOn, startTestServer, type TestServer } from '../support/server.ts';

const [ada, grace, edsger] = candidateIds;
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/u;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

async function ballotCount(server: TestServer): Promise<number> {
  return (await server.query('select from ballots')).length;
}

async function step(server: TestServer, name: PollStepName): Promise<void> {
  const { slug, manageKey } = server.running.sample ?? { slug: '', manageKey: null };
  await takeStep(server.url, { id: slug, slug, joinCode: '', manageKey: manageKey ?? '', options: [] }, name);
}

describe('contract election: votes', () => {
  const shared = shareElection();

  test('a vote is accepted with the token in the body or in the header, and is processed', async () => {
    const server = await startElection();
    const inBody = await sendVote(server, 'alice', ada);
    const inHeader = await post(
      `${server.url}/api/v1/vote`,
      { candidate_id: grace },
      { authorization: `Bearer ${tokenOf('bob')}` },
    );
    for (const answer of [inBody, inHeader]) {
      const voteId = voteIdOf(answer);
      expect(answer.json).toEqual({
        status: 'accepted',
        message: 'Vote accepted for processing',
        timestamp: expect.stringMatching(isoTime),
        vote_id: expect.stringMatching(uuid),
      });
      expect(answer.headers.get('location')).toBe(`/api/v1/votes/${voteId}`);
      await expect
        .poll(() => readStatus(server, voteId))
        .toEqual({
          vote_id: voteId,
          processing_status: 'processed',
          candidate_id: answer === inBody ? ada : grace,
          timestamp: expect.stringMatching(isoTime),
        });
    }
  });

  test('a second vote of the same user is accepted and fails, whichever candidate it is for', async () => {
    const server = await startElection();
    const first = voteIdOf(await sendVote(server, 'alice', ada));
    for (const candidateId of [ada, grace]) {
      const second = voteIdOf(await sendVote(server, 'alice', candidateId));
      expect(second).not.toBe(first);
      await expect
        .poll(() => readStatus(server, second))
        .toEqual({
          vote_id: second,
          processing_status: 'failed',
          reason: 'already_voted',
          candidate_id: candidateId,
          timestamp: expect.stringMatching(isoTime),
        });
    }
    expect(await readStatus(server, first)).toMatchObject({ processing_status: 'processed' });
    expect(await ballotCount(server)).toBe(1);
  });

  test('a retry with the same key has the same id, whether it counted or not', async () => {
    const server = await startElection();
    const withKey = (key: string) => sendVote(server, 'alice', ada, { 'idempotency-key': key });
    const first = voteIdOf(await withKey('k1'));
    const second = voteIdOf(await withKey('k2'));
    expect(voteIdOf(await withKey('k1'))).toBe(first);
    expect(voteIdOf(await withKey('k2'))).toBe(second);
    expect(second).not.toBe(first);
    // Another user's key is another key.
    const others = voteIdOf(await sendVote(server, 'bob', ada, { 'idempotency-key': 'k1' }));
    expect(others).not.toBe(first);
    await expect.poll(() => ballotCount(server)).toBe(2);
  });

  test('of fifty votes that one user sends at the same time all are accepted and one counts', async () => {
    const server = await startElection();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => sendVote(server, 'alice', candidateIds[index % 3])),
    );
    const ids = answers.map(voteIdOf);
    expect(new Set(ids).size).toBe(50);
    const ended = async () => {
      const statuses = await Promise.all(ids.map((id) => readStatus(server, id)));
      return Object.groupBy(statuses, ({ processing_status: status }) => status);
    };
    await expect.poll(async () => (await ended())['failed']?.length).toBe(49);
    expect((await ended())['processed']).toHaveLength(1);
    expect(await ballotCount(server)).toBe(1);
  });

  test('a candidate is named by a UUID in any spelling', async () => {
    const server = await startElection();
    const spellings = [ada.toUpperCase(), ada.replaceAll('-', ''), `{${ada}}`, `urn:uuid:${ada}`];
    for (const [user, spelling] of spellings.entries()) voteIdOf(await sendVote(server, user, spelling));
    await expect.poll(() => readResults(server, `?candidate_id=${ada}`)).toEqual([['Ada Lovelace', 4]]);
  });

  test.for<[name: string, candidateId: unknown, type: string]>([
    ['no candidate', undefined, 'missing'],
    ['null', null, 'uuid_type'],
    ['a number', 7, 'uuid_type'],
    ['a list', [ada], 'uuid_type'],
    ['an empty text', '', 'uuid_parsing'],
    ['a name', 'Ada Lovelace', 'uuid_parsing'],
    ['a UUID that is too long', `${ada}0`, 'uuid_parsing'],
    ['a NUL byte', `${ada}\u0000`, 'uuid_parsing'],
  ])('%s is answered with where the fault is', async ([, candidateId, type]) => {
    const server = shared();
    const answer = await sendVote(server, 'alice', candidateId);
    expect([answer.status, answer.json]).toEqual([
      422,
      { detail: [{ type, loc: ['body', 'candidate_id'], msg: expect.any(String) }] },
    ]);
    expect(await ballotCount(server)).toBe(0);
  });

  test('an unknown candidate is not found, and an unknown vote neither', async () => {
    const server = shared();
    const answer = await sendVote(server, 'alice', randomUUID());
    expect([answer.status, answer.json]).toEqual([404, { detail: 'Candidate not found' }]);
    for (const id of [randomUUID(), 'nonsense', '0', "' or 1=1 --", '%00']) {
      const vote = await get(`${server.url}/api/v1/votes/${encodeURIComponent(id)}`);
      expect([vote.status, vote.json]).toEqual([404, { detail: 'Vote not found' }]);
    }
    expect(await ballotCount(server)).toBe(0);
  });

  test.for(hostileBodies)('%s as a body gets a 4xx and records nothing', async ([, body]) => {
    const server = shared();
    const answer = await post(`${server.url}/api/v1/vote`, body, { authorization: `Bearer ${tokenOf('alice')}` });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.json).toEqual({ detail: expect.anything() });
    expect(await ballotCount(server)).toBe(0);
  });

  test('a paused or closed election refuses votes at once', async () => {
    const server = await startElection();
    await step(server, 'pause');
    expect((await sendVote(server, 'alice', ada)).status).toBe(409);
    await step(server, 'open');
    voteIdOf(await sendVote(server, 'alice', ada));
    await step(server, 'close');
    const late = await sendVote(server, 'bob', ada);
    expect([late.status, late.json]).toEqual([409, { detail: expect.stringContaining('closed') }]);
    expect(await ballotCount(server)).toBe(1);
  });
});

describe('contract election: results', () => {
  const shared = shareElection();

  test('most votes come first, ties by name, and nobody is left out', async () => {
    const server = await startElection('--election-candidates', 'Zoë, Ada, Bob, Carl');
    const before = await get(`${server.url}/api/v1/results`);
    expect(before.json).toEqual({
      results: ['Ada', 'Bob', 'Carl', 'Zoë'].map((name) => ({
        candidate_id: expect.stringMatching(uuid),
        name,
        vote_count: 0,
      })),
      last_updated: expect.stringMatching(isoTime),
    });
    for (const user of [1, 2]) voteIdOf(await sendVote(server, user, edsger));
    voteIdOf(await sendVote(server, 3, ada));
    await expect
      .poll(() => readResults(server))
      .toEqual([
        ['Bob', 2],
        ['Zoë', 1],
        ['Ada', 0],
        ['Carl', 0],
      ]);
    expect(await readResults(server, '?page=2&limit=3')).toEqual([['Carl', 0]]);
    expect(await readResults(server, '?page=3&limit=3')).toEqual([]);
    expect(await readResults(server, `?candidate_id=${ada}`)).toEqual([['Zoë', 1]]);
    expect(await readResults(server, `?candidate_id=${randomUUID()}`)).toEqual([]);
  });

  test.for<[query: string, status: number, detail: unknown]>([
    ['page=0', 400, 'Page number must be 1 or greater.'],
    ['page=-1', 400, 'Page number must be 1 or greater.'],
    ['limit=0', 400, 'Limit must be between 1 and 100.'],
    ['limit=101', 400, 'Limit must be between 1 and 100.'],
    ['limit=-5', 400, 'Limit must be between 1 and 100.'],
    ['limit=99999999999999999999', 400, 'Limit must be between 1 and 100.'],
    ['page=-99999999999999999999', 400, 'Page number must be 1 or greater.'],
    ['page=one', 422, [expect.objectContaining({ loc: ['query', 'page'], type: 'int_parsing' })]],
    ['limit=1e1', 422, [expect.objectContaining({ loc: ['query', 'limit'] })]],
    ['limit=', 422, [expect.objectContaining({ loc: ['query', 'limit'] })]],
    ['candidate_id=ada', 422, [expect.objectContaining({ loc: ['query', 'candidate_id'], type: 'uuid_parsing' })]],
  ])('the query %s is refused with %i', async ([query, status, detail]) => {
    const server = shared();
    const answer = await get(`${server.url}/api/v1/results?${query}`);
    expect([answer.status, answer.json]).toEqual([status, { detail }]);
  });

  test('hidden results are hidden here, too', async () => {
    const server = await startElection();
    voteIdOf(await sendVote(server, 'alice', ada));
    const { manageKey } = server.running.sample ?? { manageKey: null };
    await send(
      'PATCH',
      `${server.url}/api/v1/polls/election`,
      { visibility: 'manager' },
      { 'manage-key': manageKey ?? '' },
    );
    const answer = await get(`${server.url}/api/v1/results`);
    expect([answer.status, answer.json]).toEqual([403, { detail: 'The results are hidden.' }]);
  });

  test('the tables of the contract are views over the ledger', async () => {
    const server = await startElection();
    const first = voteIdOf(await sendVote(server, 'alice', ada));
    const second = voteIdOf(await sendVote(server, 'alice', grace));
    await expect.poll(async () => (await readStatus(server, second)).processing_status).toBe('failed');
    await server.query('set search_path = election, public');
    expect(await server.query('select candidate_id, name from candidates order by name')).toHaveLength(3);
    expect(await server.query('select user_id from users')).toHaveLength(1);
    const rows = await server.query(
      'select vote_id, candidate_id, processing_status, reason from votes order by processing_status',
    );
    expect(rows).toEqual([
      { vote_id: first, candidate_id: ada, processing_status: 'processed', reason: null },
      { vote_id: second, candidate_id: grace, processing_status: 'failed', reason: 'already_voted' },
    ]);
    const [labels] = await server.query<{ list: string }>(
      'select enum_range(null::vote_processing_status)::text as list',
    );
    expect(labels?.list).toBe('{received,validating,processed,failed}');
  });
});

describe('contract election: around it', () => {
  test('a server that comes back has the same election', async () => {
    const databaseUrl = await createDatabase();
    const first = await startElectionOn(databaseUrl);
    voteIdOf(await sendVote(first, 'alice', ada));
    await first.stop();
    const second = await startElectionOn(databaseUrl, '--election-candidates', 'Other, Names');
    expect(second.running.sample).toEqual({ slug: 'election', manageKey: null });
    await expect
      .poll(() => readResults(second))
      .toEqual([
        ['Ada Lovelace', 1],
        ['Edsger Dijkstra', 0],
        ['Grace Hopper', 0],
      ]);
    const again = voteIdOf(await sendVote(second, 'alice', ada));
    await expect.poll(() => readStatus(second, again)).toMatchObject({ reason: 'already_voted' });
  });

  test('a poll of another kind under its name stops the start in one line', async () => {
    const databaseUrl = await createDatabase();
    const first = await startOn(databaseUrl, ['--preset', 'none']);
    const body = { question: 'Who?', options: ['A', 'B'], slug: 'election' };
    expect((await post(`${first.url}/api/v1/polls`, body)).status).toBe(201);
    await first.stop();
    await expect(startElectionOn(databaseUrl)).rejects.toThrow(/^The poll with the slug "election" is no election/u);
  });

  test('without the preset there is no election, and without keys no token', async () => {
    const server = await startTestServer();
    const results = await get(`${server.url}/api/v1/results`);
    expect([results.status, results.json]).toEqual([404, { detail: 'There is no election.' }]);
    const vote = await sendVote(server, 'alice', ada);
    expect([vote.status, vote.headers.get('retry-after')]).toEqual([503, '5']);
  });

  test('the reference of the API is where programs of other frameworks look for it', async () => {
    const server = await startElection();
    const redoc = await get(`${server.url}/redoc`);
    expect([redoc.status, redoc.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const { paths } = (await get(`${server.url}/api/v1/openapi.json`)).json as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/api/v1/vote', '/api/v1/votes/{voteId}', '/api/v1/results']),
    );
  });
});
