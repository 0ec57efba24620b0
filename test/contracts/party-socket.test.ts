import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPoll, get, post, send } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openMuteSocket } from '../support/wire.ts';

type Frame = { readonly type: string } & Readonly<Record<string, unknown>>;
type Client = {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  say(message: unknown): void;
  /** The first frame from now on that is of this type and fits; those before it are passed over. */
  next(type: string, fits?: (frame: Frame) => boolean): Promise<Frame>;
};
type PartyPoll = { readonly id: string; readonly options: readonly { readonly option_id: string }[] };

/** Closed when the test has finished. */
async function open(server: TestServer, path = '/ws', headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers });
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  let readCount = 0;
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  await once(socket, 'open');
  return {
    socket,
    frames,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next(type, fits = () => true) {
      await expect.poll(() => frames.slice(readCount).some((frame) => frame.type === type && fits(frame))).toBe(true);
      const index = frames.findIndex((frame, place) => place >= readCount && frame.type === type && fits(frame));
      readCount = index + 1;
      const frame = frames[index];
      if (frame === undefined) throw new Error('A frame that was there is gone.');
      return frame;
    },
  };
}

async function makePoll(server: TestServer, question = 'Which?'): Promise<PartyPoll> {
  const body = { question, options: ['JavaScript', 'Python'], expired_at: '2090-03-30T00:00:00.000Z' };
  return (await post(`${server.url}/polls`, body)).json as PartyPoll;
}

async function vote(server: TestServer, poll: PartyPoll, option: number): Promise<void> {
  const body = { user_id: randomUUID(), option_id: poll.options[option]?.option_id };
  expect((await post(`${server.url}/polls/${poll.id}/vote`, body)).status).toBe(200);
}

/** The leading count of a leaderboard frame. */
function topOf(frame: Frame): unknown {
  return (frame as unknown as { data: { data: { vote_count: number }[] } }).data.data[0]?.vote_count;
}

describe('the leaderboard', () => {
  test.each(['/ws', '/', '/whatever/path?x=1', '/leaderboard'])(
    'comes at once to whoever connects at %s',
    async (path) => {
      const server = await startTestServer('--preset', 'none');
      const poll = await makePoll(server);
      await vote(server, poll, 1);
      const client = await open(server, path);
      const frame = await client.next('LEADERBOARD_INIT');
      const { data } = (await get(`${server.url}/leaderboard`)).json as { data: unknown };
      expect(frame).toEqual({
        type: 'LEADERBOARD_INIT',
        data: { data, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/u) },
      });
      expect(data).toHaveLength(2);
    },
  );

  test('comes again when a count changes, to every client, and ends with the last state', async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await makePoll(server);
    const clients = await Promise.all([open(server), open(server), open(server)]);
    await Promise.all(Array.from({ length: 40 }, () => vote(server, poll, 0)));
    for (const client of clients) {
      await client.next('LEADERBOARD_UPDATE', (frame) => topOf(frame) === 40);
      const tops = client.frames.map(topOf) as number[];
      expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    }
  });

  test('is silent while nothing changes', async () => {
    const server = await startTestServer('--preset', 'none', '--live-heartbeat-ms', '1000');
    const poll = await makePoll(server);
    const client = await open(server);
    await client.next('LEADERBOARD_INIT');
    // The pings of WebSocket itself come and go; two of them are more than any tick.
    await once(client.socket, 'ping');
    await once(client.socket, 'ping');
    expect(client.frames).toHaveLength(1);
    await vote(server, poll, 0);
    await client.next('LEADERBOARD_UPDATE');
  });

  test('comes to pages of any origin', async () => {
    const server = await startTestServer('--preset', 'none');
    const client = await open(server, '/ws', { origin: 'https://elsewhere.example' });
    await client.next('LEADERBOARD_INIT');
  });
});

describe('a poll', () => {
  test.each(['type', 'action'])('is followed by a message with %s, at once and at each change', async (word) => {
    const server = await startTestServer('--preset', 'none');
    const poll = await makePoll(server);
    await vote(server, poll, 1);
    const client = await open(server);
    client.say({ [word]: 'subscribe', pollId: poll.id });
    const first = await client.next('pollUpdate');
    expect(first).toEqual({
      type: 'pollUpdate',
      pollId: poll.id,
      results: [
        { option_id: poll.options[0]?.option_id, option_text: 'JavaScript', vote_count: 0 },
        { option_id: poll.options[1]?.option_id, option_text: 'Python', vote_count: 1 },
      ],
      total_votes: 1,
      timestamp: expect.any(String),
    });
    await vote(server, poll, 0);
    const second = await client.next('pollUpdate', ({ total_votes }) => total_votes === 2);
    expect(second['results']).toMatchObject([{ vote_count: 1 }, { vote_count: 1 }]);
  });

  test('is told to those who follow it, and to nobody else', async () => {
    const server = await startTestServer('--preset', 'none');
    const [one, other] = [await makePoll(server, 'One?'), await makePoll(server, 'Other?')];
    const [reader, stranger] = [await open(server), await open(server)];
    reader.say({ type: 'subscribe', pollId: one.id });
    await reader.next('pollUpdate');
    await vote(server, other, 0);
    await vote(server, one, 0);
    await reader.next('pollUpdate', ({ total_votes }) => total_votes === 1);
    await stranger.next('LEADERBOARD_UPDATE', (frame) => topOf(frame) === 1);
    expect(reader.frames.filter(({ pollId }) => pollId === other.id)).toEqual([]);
    expect(stranger.frames.filter(({ type }) => type === 'pollUpdate')).toEqual([]);
  });

  test('that is followed twice is told once a change, and no more after unsubscribe', async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await makePoll(server);
    const client = await open(server);
    for (let times = 0; times < 2; times += 1) {
      client.say({ type: 'subscribe', pollId: poll.id });
      await client.next('pollUpdate');
    }
    await vote(server, poll, 0);
    await client.next('pollUpdate', ({ total_votes }) => total_votes === 1);
    client.say({ type: 'unsubscribe', pollId: poll.id });
    client.say('{');
    await client.next('error');
    await vote(server, poll, 0);
    await client.next('LEADERBOARD_UPDATE', (frame) => topOf(frame) === 2);
    const totals = client.frames.filter(({ type }) => type === 'pollUpdate').map((frame) => frame['total_votes']);
    expect(totals).toEqual([0, 0, 1]);
  });

  test('that hides its results is answered with an error and no count, until it shows them', async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await createPoll(server.url, { visibility: 'after_close', electorate: 'open' });
    const client = await open(server);
    client.say({ type: 'subscribe', pollId: poll.id });
    expect(await client.next('error')).toEqual({
      type: 'error',
      error: 'Forbidden',
      message: 'The results of this poll are hidden',
      pollId: poll.id,
    });
    await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: [poll.options[0]?.id] });
    client.say('{');
    await client.next('error');
    expect(JSON.stringify(client.frames)).not.toContain('vote_count');
    const closed = await send('POST', `${server.url}/api/v1/polls/${poll.id}/close`, undefined, {
      'manage-key': poll.manageKey,
    });
    expect(closed.status).toBe(200);
    expect(await client.next('pollUpdate')).toMatchObject({ total_votes: 1 });
  });
});

describe('a message that makes no sense', () => {
  test.each([
    ['no JSON', '{', 'Invalid JSON'],
    ['nothing', '', 'Invalid JSON'],
    ['null', 'null', 'Invalid JSON'],
    ['a number', '7', 'Invalid JSON'],
    ['a list', '[]', 'Validation Error'],
    ['an unknown type', '{"type":"explode"}', 'Validation Error'],
    ['no poll', '{"type":"subscribe"}', 'Validation Error'],
    ['a poll that is a number', '{"type":"subscribe","pollId":7}', 'Validation Error'],
    ['a poll that is an object', '{"type":"subscribe","pollId":{"$ne":null}}', 'Validation Error'],
    ['a prototype', '{"__proto__":{"type":"subscribe"},"constructor":1}', 'Validation Error'],
    ['a malformed id', '{"type":"subscribe","pollId":"x"}', 'Not Found'],
    ['a NUL byte', String.raw`{"type":"subscribe","pollId":"\u0000"}`, 'Not Found'],
    ['an unknown id', `{"type":"subscribe","pollId":"${randomUUID()}"}`, 'Not Found'],
    ['too much', JSON.stringify({ type: 'subscribe', pollId: 'x'.repeat(5_000) }), 'Invalid message'],
    ['deep nesting', `${'['.repeat(2_000)}${']'.repeat(2_000)}`, 'Validation Error'],
  ])('%s gets an error frame, and the socket goes on', async (_name, message, error) => {
    const server = await startTestServer('--preset', 'none');
    const client = await open(server);
    client.say(message);
    expect(await client.next('error')).toMatchObject({ error });
    await vote(server, await makePoll(server), 0);
    await client.next('LEADERBOARD_UPDATE');
  });

  test('as bytes is read like text', async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await makePoll(server);
    const client = await open(server);
    client.socket.send(Buffer.of(0xff, 0x00, 0xfe));
    await client.next('error');
    client.socket.send(Buffer.from(JSON.stringify({ type: 'subscribe', pollId: poll.id })));
    await client.next('pollUpdate');
  });

  test('of a megabyte ends its own socket and no other', async () => {
    const server = await startTestServer('--preset', 'none');
    const [loud, quiet] = [await open(server), await open(server)];
    const closed = once(loud.socket, 'close') as Promise<[number]>;
    loud.say('x'.repeat(1_000_000));
    expect((await closed)[0]).toBe(1009);
    await vote(server, await makePoll(server), 0);
    await quiet.next('LEADERBOARD_UPDATE');
  });

  test('again and again ends the socket with 4029', async () => {
    const server = await startTestServer('--preset', 'none');
    const client = await open(server);
    const closed = once(client.socket, 'close') as Promise<[number]>;
    for (let count = 0; count < 300; count += 1) client.say('{"type":"explode"}');
    expect((await closed)[0]).toBe(4029);
    expect((await get(`${server.url}/health`)).status).toBe(200);
  });

  test('more than 50 polls on one socket are refused', async () => {
    const server = await startTestServer('--preset', 'none');
    const client = await open(server);
    const polls = await Promise.all(Array.from({ length: 51 }, (_, index) => makePoll(server, `Number ${index}?`)));
    for (const { id } of polls) {
      client.say({ type: 'subscribe', pollId: id });
      if (id === polls.at(-1)?.id) break;
      await client.next('pollUpdate');
    }
    expect(await client.next('error')).toMatchObject({ error: 'Too Many Requests', pollId: polls.at(-1)?.id });
  });
});

describe('the server', () => {
  test('outlives clients that break off in every way', async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await makePoll(server);
    for (let round = 0; round < 20; round += 1) {
      const client = await open(server);
      client.say({ type: 'subscribe', pollId: poll.id });
      client.say({ type: 'subscribe', pollId: randomUUID() });
      client.socket.terminate();
    }
    const wire = connect(Number(new URL(server.url).port), '127.0.0.1');
    wire.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n\r\n',
    );
    await once(wire, 'data');
    wire.destroy();
    await vote(server, poll, 0);
    const client = await open(server);
    client.say({ type: 'subscribe', pollId: poll.id });
    expect(await client.next('pollUpdate')).toMatchObject({ total_votes: 1 });
  });

  test('does not wait for a client that never answers a goodbye', async () => {
    const server = await startTestServer('--preset', 'none', '--drain-timeout-ms', '600000');
    await openMuteSocket(server.url, '/ws');
    await server.stop();
  });

  test('tells its clients when it ends', async () => {
    const server = await startTestServer('--preset', 'none');
    const client = await open(server);
    const closed = once(client.socket, 'close') as Promise<[number]>;
    await server.stop();
    expect((await closed)[0]).toBe(4001);
  });
});
