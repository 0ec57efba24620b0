/** Requests that are right, and that few clients send. */
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createPoll, get, send as sendJson } from '../support/http.ts';
import { shareTestServer } from '../support/server.ts';

const shared = shareTestServer('--preset', 'party');

function send(path: string, method: string, headers: Record<string, string>, body?: string) {
  const { port } = new URL(shared().url);
  return new Promise<{ status: number; type: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '' });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

test('a client that offers HTTP/2 is answered by HTTP/1.1', async () => {
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA' };
  expect(await send('/api/v1/polls', 'GET', offer)).toMatchObject({ status: 200 });
  const { id } = await createPoll(shared().url, { electorate: 'open' });
  const json = { ...offer, 'content-type': 'application/json' };
  expect(await send(`/api/v1/polls/${id}/ballots`, 'POST', json, '{"selections":["1"]}')).toMatchObject({
    status: 201,
  });
});

test.for(['//', '///', '//?x', '//x:y', '//x:99999999/leaderboard'])(
  'a browser that asks for %s is told that nothing is there',
  async (path) => {
    expect(await send(path, 'GET', { accept: 'text/html' })).toMatchObject({ status: 404 });
  },
);

test.for(['/api/v1/polls/features/events', '/api/v1/leaderboard/events'])(
  'HEAD of %s is answered at once',
  async (path) => {
    const { id } = await createPoll(shared().url);
    const answer = await send(path.replace('features', id), 'HEAD', {});
    expect(answer).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' });
  },
);

test('a long poll of a poll that is deleted meanwhile finds none', async () => {
  const poll = await createPoll(shared().url);
  const waiting = get(`${shared().url}/api/v1/polls/${poll.id}/tally?wait=2&since=9`);
  const { question } = (await get(`${shared().url}/api/v1/polls/${poll.id}`)).json as { question: string };
  const deleted = await sendJson(
    'DELETE',
    `${shared().url}/api/v1/polls/${poll.id}`,
    { question },
    { 'manage-key': poll.manageKey },
  );
  expect(deleted.status).toBe(204);
  expect(await waiting).toMatchObject({ status: 404, json: { code: 'poll_not_found' } });
});
