/** The reverse proxies of deploy/proxies in front of a server: TLS, live connections, limits and what the server learns of the client. */
import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPoll, post } from '../support/http.ts';
import { provideProxy, publicHost, startProxy, type ProxyName, type RunningProxy } from '../support/proxies.ts';
import { shareTestServer } from '../support/server.ts';

const publicUrl = `https://${publicHost}`;
const liveMax = 3;
const missesMax = 3;
const limits = [`--sockets-per-address-max=${liveMax}`, `--join-misses-per-minute-max=${missesMax}`];
const trusting = ['--preset', 'none', '--trusted-proxies', '127.0.0.1', ...limits];
const server = shareTestServer(...trusting, '--public-url', publicUrl);
/** One that knows from the proxy alone how browsers reach it. */
const told = shareTestServer(...trusting);
const names: readonly ProxyName[] = ['nginx', 'caddy', 'haproxy'];

describe.each(names)('%s', (name) => {
  let running: RunningProxy | undefined;
  beforeAll(async () => {
    const command = await provideProxy(name);
    if (command !== null) running = await startProxy(name, command, server().url);
  });
  afterAll(() => running?.stop());
  beforeEach(({ skip }) => skip(running === undefined, `there is no ${name}`));

  /** What a client needs to reach the proxy by its public name and to trust it. */
  function trust(): Proxied {
    if (running === undefined) throw new Error('The proxy runs only while tests do.');
    const { httpsPort: port, certificate: ca } = running;
    return { host: '127.0.0.1', port, ca, servername: publicHost, headers: { host: publicHost } };
  }

  function ask(path: string, options: Proxied = {}, body?: string): Promise<Answered> {
    const base = trust();
    return read(requestHttps({ ...base, path, ...options, headers: { ...base.headers, ...options.headers } }), body);
  }

  const castIn = (path: string, ballot: object, headers: Record<string, string> = {}): Promise<Answered> =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, JSON.stringify(ballot));

  test('a ballot gets its receipt and its __Host- cookie, and the same key the same receipt', async () => {
    const poll = await createPoll(server().url, { electorate: 'cookie' });
    const path = `/api/v1/polls/${poll.id}/ballots`;
    const first = await castIn(path, { selections: ['1'] }, { 'idempotency-key': '"one"' });
    expect(first.status).toBe(201);
    const [cookie = ''] = first.message.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^__Host-voter_id=[^;]+;.*; Secure/u);
    const headers = { 'idempotency-key': '"one"', cookie: cookie.split(';', 1)[0] ?? '' };
    const again = await castIn(path, { selections: ['1'] }, headers);
    expect([again.status, JSON.parse(again.text)]).toEqual([201, JSON.parse(first.text)]);
  });

  test('the vote page comes with the public address in its links, and with its policy', async () => {
    const poll = await createPoll(server().url, { electorate: 'cookie' });
    const page = await ask(`/p/${poll.slug}`, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(page.text).toContain(`${publicUrl}/p/${poll.slug}`);
    expect(page.message.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  test('a WebSocket from a page of ours is opened, and its frames come while votes do', async () => {
    const poll = await createPoll(server().url);
    const { host, port, ...options } = trust();
    const socket = new WebSocket(`wss://${host}:${port}/api/v1/live`, { ...options, origin: publicUrl });
    onTestFinished(() => socket.terminate());
    const totals: number[] = [];
    socket.on('message', (data) => {
      const { total } = JSON.parse(String(data)) as { total?: number }; // What the server sends is what the test looks at.
      if (total !== undefined) totals.push(total);
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', poll: poll.id }));
    await expect.poll(() => totals).toEqual([0]);
    await vote(poll.id, 'alice');
    await expect.poll(() => totals.at(-1)).toBe(1);
  });

  test('events of a stream are not held back', async () => {
    const poll = await createPoll(server().url);
    const stream = requestHttps({ ...trust(), path: `/api/v1/polls/${poll.id}/events` }).end();
    onTestFinished(() => void stream.destroy());
    let text = '';
    const [message] = (await once(stream, 'response')) as [IncomingMessage]; // Node's own event.
    message.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    message.on('error', () => undefined);
    await expect.poll(() => text).toContain('event: snapshot');
    await vote(poll.id, 'alice');
    await expect.poll(() => text).toMatch(/event: tally\n(?:.*\n)*data: .*"total":1/u);
  });

  test('a long poll is answered when a vote comes', async () => {
    const poll = await createPoll(server().url);
    const answer = ask(`/api/v1/polls/${poll.id}/tally?wait=25&since=0`);
    await vote(poll.id, 'alice');
    expect(JSON.parse((await answer).text)).toMatchObject({ total: 1 });
  });

  test('a body beyond the limit is refused, and a list of ballots may be longer', async () => {
    const poll = await createPoll(server().url);
    const long = await castIn(`/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: 'x'.repeat(20_000) });
    expect(long.status).toBe(413);
    const ballots = Array.from({ length: 1_000 }, (_, index) => `{"selections":["1"],"userId":"voter-${index}"}\n`);
    const options = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } };
    const list = await ask(`/api/v1/polls/${poll.id}/ballots:batch`, options, ballots.join(''));
    expect(list.text.match(/"counted"/gu)).toHaveLength(ballots.length);
  });

  test('clients are limited each by its own address, and no header gets one another', async () => {
    const [first, second] = makeClients();
    const tryCode = async (localAddress: string, claimed: Record<string, string> = {}): Promise<number> =>
      (await ask('/api/v1/polls?joinCode=ZZZ222', { localAddress, headers: claimed })).status;
    const firstTries: number[] = [];
    for (let count = 0; count <= missesMax; count += 1) {
      firstTries.push(
        await tryCode(first, { 'x-forwarded-for': `203.0.113.${count}`, forwarded: `for=203.0.113.${count}` }),
      );
    }
    expect(firstTries).toEqual([200, 200, 200, 429]);
    expect(await tryCode(second, { 'x-forwarded-for': first })).toBe(200);
    expect(await tryCode(first)).toBe(429);
  });

  test('WebSockets are counted by the address of their client, and each gets its frames', async () => {
    const [first, second] = makeClients();
    const { host, port, ...options } = trust();
    async function open(localAddress: string, path: string, claimed: Record<string, string> = {}): Promise<WebSocket> {
      const headers = { ...options.headers, ...claimed };
      const socket = new WebSocket(`wss://${host}:${port}${path}`, { ...options, localAddress, headers });
      onTestFinished(() => socket.terminate());
      await once(socket, 'open');
      return socket;
    }
    // At the path `/` the contract `party` answers, which tells the leaderboard unasked.
    for (const path of ['/api/v1/live', '/', '/']) await open(first, path);
    for (const path of ['/api/v1/live', '/']) {
      await expect(open(first, path, { 'x-forwarded-for': '203.0.113.5' })).rejects.toThrow('503');
    }
    const socket = await open(second, '/api/v1/live', { 'x-forwarded-for': first });
    const poll = await createPoll(server().url);
    socket.send(JSON.stringify({ type: 'subscribe', poll: poll.id }));
    expect(String(await once(socket, 'message'))).toContain('"type":"snapshot"');
  });

  test('plain HTTP is sent to HTTPS', async () => {
    const options = { host: '127.0.0.1', port: running?.httpPort, path: '/join', headers: { host: publicHost } };
    const answer = await read(requestHttp(options));
    expect(answer.status).toBe(308);
    expect(answer.message.headers.location).toMatch(/^https:\/\/vote\.example\.org(?::\d+)?\/join$/u);
  });
});

let clientCount = 0;
/** Two addresses of this machine that no other test has used. */
const makeClients = (): [string, string] => [`127.0.1.${(clientCount += 1)}`, `127.0.2.${clientCount}`];

/** A proxy in front of the server without a public URL: what it says makes links, cookies and who may open a WebSocket. */
describe.each(names)('%s, which tells how browsers come,', (name) => {
  let running: RunningProxy | undefined;
  beforeAll(async () => {
    const command = await provideProxy(name);
    if (command !== null) running = await startProxy(name, command, told().url);
  });
  afterAll(() => running?.stop());
  beforeEach(({ skip }) => skip(running === undefined, `there is no ${name}`));

  function ask(path: string, options: Proxied = {}, body?: string): Promise<Answered> {
    const base = { host: '127.0.0.1', port: running?.httpsPort, ca: running?.certificate, servername: publicHost };
    return read(requestHttps({ ...base, path, ...options, headers: { host: publicHost, ...options.headers } }), body);
  }

  /** What a client may try. */
  const made = { 'x-forwarded-host': 'made.example', 'x-forwarded-proto': 'http' };

  test('makes cookies __Host- ones and links those of its own name, whatever a client claims', async () => {
    const poll = await createPoll(told().url, { electorate: 'cookie' });
    const headers = { 'content-type': 'application/json', ...made };
    const path = `/api/v1/polls/${poll.id}/ballots`;
    const { status, message } = await ask(path, { method: 'POST', headers }, '{"selections":["1"]}');
    expect([status, message.headers['set-cookie']?.[0]]).toEqual([
      201,
      expect.stringMatching(/^__Host-voter_id=.*; Secure$/u),
    ]);
    const page = await ask(`/p/${poll.slug}`, { headers: { accept: 'text/html', ...made } });
    expect(page.text).toContain(`${publicUrl}/p/${poll.slug}`);
    expect(page.text).not.toContain('made.example');
  });

  test('lets pages of its own name open WebSockets, and no others', async () => {
    const url = `wss://127.0.0.1:${running?.httpsPort}/api/v1/live`;
    const base = { ...(running === undefined ? {} : { ca: running.certificate }), servername: publicHost };
    for (const origin of ['https://made.example', `http://${publicHost}`]) {
      const socket = new WebSocket(url, { ...base, origin, headers: { host: publicHost, ...made } });
      await expect(once(socket, 'open')).rejects.toThrow('403');
    }
    const socket = new WebSocket(url, { ...base, origin: publicUrl, headers: { host: publicHost } });
    await once(socket, 'open');
    socket.terminate();
  });
});

type Proxied = Omit<RequestOptions, 'headers'> & { readonly headers?: Record<string, string> };
type Answered = { readonly status: number; readonly message: IncomingMessage; readonly text: string };

async function read(request: ReturnType<typeof requestHttp>, body?: string): Promise<Answered> {
  // A proxy that refuses a long body may close before it has read all of it.
  request.on('error', () => undefined);
  request.end(body);
  const [message] = (await once(request, 'response')) as [IncomingMessage]; // Node's own event.
  let text = '';
  for await (const part of message.setEncoding('utf8')) text += String(part);
  return { status: message.statusCode ?? 0, message, text };
}

async function vote(pollId: string, userId: string): Promise<void> {
  const { status } = await post(`${server().url}/api/v1/polls/${pollId}/ballots`, { selections: ['1'], userId });
  expect(status).toBe(201);
}
