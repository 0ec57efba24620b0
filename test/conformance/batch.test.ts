import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createPoll, get, send, type TestPoll } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

type Line = { line: number; outcome: string; code?: string; ballotId?: string };

async function sendBatch(server: TestServer, poll: TestPoll, lines: readonly (string | object)[]): Promise<Line[]> {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const url = `${server.url}/api/v1/polls/${poll.id}/ballots:batch`;
  const { text } = await send('POST', url, body, { 'content-type': 'application/x-ndjson' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

test('each line has its own outcome, in the order in which the lines came', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const outcomes = await sendBatch(server, poll, [
    { selections: ['1'], userId: 'a', idempotencyKey: 'k' },
    { selections: ['9'], userId: 'b' },
    'no json',
    { selections: ['2'] },
    { selections: ['2'], userId: 'a' },
    { selections: ['1'], userId: 'a', idempotencyKey: 'k' },
    '{"selections":["1"],"userId":"x","extra":1}',
    { selections: ['2'], userId: 'c' },
  ]);
  expect(outcomes.map(({ line, outcome, code }) => `${line} ${code ?? outcome}`)).toEqual([
    '1 counted',
    '2 ballot_invalid',
    '3 request_malformed',
    '4 credential_missing',
    '5 ballot_already_cast',
    '6 counted',
    '7 request_malformed',
    '8 counted',
  ]);
  expect(outcomes[5]).toEqual({ ...outcomes[0], line: 6 });
  expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 2 });
});

test('ten thousand ballots fit, one more is refused and those before it count', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const lines = Array.from({ length: 10_001 }, (_, user) => ({
    selections: [String(1 + (user % 2))],
    userId: `user-${user}`,
  }));
  const outcomes = await sendBatch(server, poll, lines);
  expect(outcomes).toHaveLength(10_001);
  expect(outcomes.filter(({ outcome }) => outcome === 'counted')).toHaveLength(10_000);
  expect(outcomes.at(-1)).toMatchObject({ line: 10_001, code: 'batch_too_large' });
  expect(await server.query('select 1 from ballots')).toHaveLength(10_000);
});

test('a line that is too long ends the batch, and those before it count', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const outcomes = await sendBatch(server, poll, [
    { selections: ['1'], userId: 'a' },
    `"${'x'.repeat(20_000)}"`,
    { selections: ['1'], userId: 'b' },
  ]);
  expect(outcomes.map(({ code, outcome }) => code ?? outcome)).toEqual(['counted', 'body_too_large']);
});

test('browsers and other media types have no batch', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { electorate: 'cookie' });
  const url = `${server.url}/api/v1/polls/${poll.id}/ballots:batch`;
  expect((await send('POST', url, '{}', { 'content-type': 'application/x-ndjson' })).json).toMatchObject({
    code: 'credential_missing',
  });
  expect((await send('POST', url, '{}', { 'content-type': 'text/plain' })).json).toMatchObject({
    code: 'media_type_unsupported',
  });
  expect((await get(url)).headers.get('allow')).toContain('POST');
});

test('a client that goes away in the middle leaves a server that goes on, with whole ballots only', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const half = request(`${server.url}/api/v1/polls/${poll.id}/ballots:batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  half.on('error', () => {});
  half.write(`${JSON.stringify({ selections: ['1'], userId: 'whole' })}\n{"selections":["1"],"userId":"ha`);
  await expect.poll(() => server.query('select 1 from ballots')).toHaveLength(1);
  half.destroy();
  const [outcome] = await sendBatch(server, poll, [{ selections: ['1'], userId: 'next' }]);
  expect(outcome?.outcome).toBe('counted');
  expect(await server.query('select 1 from ballots')).toHaveLength(2);
});
