/** Who a client is behind a proxy: the same address for every limit, and the scheme and host that its browser used. */
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPoll } from '../support/http.ts';
import { shareTestServer } from '../support/server.ts';

const trusting = ['--trusted-proxies', '127.0.0.1', '--sockets-per-address-max', '1'];
const plain = shareTestServer('--preset', 'none', ...trusting, '--join-misses-per-minute-max', '2');
const duel = shareTestServer('--preset', 'duel', '--results-port', '0', ...trusting);

type Headers = Readonly<Record<string, string>>;
type Answered = { readonly status: number; readonly message: IncomingMessage; readonly text: () => Promise<string> };
type Asked = { readonly headers?: Headers; readonly from?: string; readonly method?: string; readonly body?: string };

/** Comes from the address of the proxy that is trusted, unless `from` says another. What it opens stays open until the test ends. */
async function ask(url: string, { headers = {}, from = '127.0.0.1', method = 'GET', body }: Asked): Promise<Answered> {
  const options: RequestOptions = { agent: false, localAddress: from, method, headers };
  const request = requestHttp(url, options);
  onTestFinished(() => void request.destroy());
  request.on('error', () => undefined).end(body);
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
  request.on('response', resolve).on('upgrade', (message, socket) => {
    onTestFinished(() => void socket.destroy());
    resolve(message);
  });
  const message = await promise;
  message.on('error', () => undefined);
  const text = async (): Promise<string> => {
    let read = '';
    for await (const part of message.setEncoding('utf8')) read += String(part);
    return read;
  };
  return { status: message.statusCode ?? 0, message, text };
}

const upgrade: Headers = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-version': '13',
};
let clientCount = 0;
/** An address that no other test has used. */
const makeClient = (): string => `203.0.113.${(clientCount += 1)}`;

/** `held` takes the only place that its address may have; behind another door of the same server there is then none. */
type Door = { readonly url: () => string | Promise<string>; readonly headers?: Headers; readonly held?: Door };

const resultsUrl = (path: string): string => `http://127.0.0.1:${duel().running.resultsPort}${path}`;
async function pollUrl(path: string): Promise<string> {
  const { id } = await createPoll(plain().url);
  return `${plain().url}/api/v1/polls/${id}/${path}`;
}
const socketDoor: Door = { headers: upgrade, url: () => `${plain().url}/api/v1/live` };
const scoresUrl = (transport: string) => (): string => resultsUrl(`/socket.io/?EIO=4&transport=${transport}`);
const doors: readonly (readonly [name: string, door: Door])[] = [
  ['the WebSocket', socketDoor],
  ['the WebSocket of party', { headers: upgrade, url: () => `${plain().url}/`, held: socketDoor }],
  ['an event stream', { url: () => pollUrl('events'), held: socketDoor }],
  ['a long poll', { url: () => pollUrl('tally?wait=1&since=0'), held: socketDoor }],
  ['Socket.IO by polling', { url: scoresUrl('polling') }],
  ['Socket.IO by WebSocket', { headers: upgrade, url: scoresUrl('websocket'), held: { url: scoresUrl('polling') } }],
];

describe.each(doors)('%s', (_name, door) => {
  const { held: holding = door } = door;
  const knock = async ({ headers, url }: Door, claimed: string, from?: string): Promise<boolean> => {
    const asked = { headers: { ...headers, 'x-forwarded-for': claimed }, ...(from === undefined ? {} : { from }) };
    const { status } = await ask(await url(), asked);
    return status === 101 || status === 200;
  };

  test('counts the clients of a trusted proxy apart', async () => {
    const [first, second] = [makeClient(), makeClient()];
    expect(await knock(holding, first)).toBe(true);
    expect(await knock(door, first)).toBe(false);
    expect(await knock(door, `198.51.100.7, ${first}`)).toBe(false);
    expect(await knock(door, second)).toBe(true);
  });

  test('gives nobody else another address for a header', async () => {
    const from = `127.0.1.${(clientCount += 1)}`;
    expect(await knock(holding, makeClient(), from)).toBe(true);
    expect(await knock(door, makeClient(), from)).toBe(false);
    expect(await knock(door, `${makeClient()}, 127.0.0.1`, from)).toBe(false);
    // Whom it has named has lost nothing by it.
    expect(await knock(door, `127.0.1.${(clientCount += 1)}`)).toBe(true);
  });
});

test.each(['/api/v1/polls?joinCode=ZZZ222', '/j/ZZZ222'])('%s counts wrong codes by the client', async (path) => {
  const tryCode = async (asked: Asked): Promise<number> => (await ask(`${plain().url}${path}`, asked)).status;
  const behind = (client: string): Asked => ({ headers: { 'x-forwarded-for': client } });
  const [first, second] = [makeClient(), makeClient()];
  const missed = await tryCode(behind(first));
  expect([await tryCode(behind(first)), await tryCode(behind(first))]).toEqual([missed, 429]);
  expect(await tryCode(behind(`198.51.100.8, ${first}`))).toBe(429);
  expect(await tryCode(behind(second))).toBe(missed);
  const from = `127.0.2.${(clientCount += 1)}`;
  const spoofed: number[] = [];
  for (let count = 0; count < 3; count += 1) spoofed.push(await tryCode({ ...behind(makeClient()), from }));
  expect(spoofed).toEqual([missed, missed, 429]);
});

describe('the scheme and the host', () => {
  const https: Headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'vote.example.org' };

  async function cast(headers: Headers, from = '127.0.0.1', url = plain().url): Promise<Answered> {
    const poll = await createPoll(url, { electorate: 'cookie' });
    const all = { 'content-type': 'application/json', ...headers };
    return ask(`${url}/api/v1/polls/${poll.id}/ballots`, {
      method: 'POST',
      headers: all,
      from,
      body: '{"selections":["1"]}',
    });
  }

  const cookieOf = ({ message }: Answered): string => message.headers['set-cookie']?.[0] ?? '';

  test('a trusted proxy that says https gets __Host- cookies, and its voters are known by them', async () => {
    const { id } = await createPoll(plain().url, { electorate: 'cookie' });
    const vote = (headers: Headers): Promise<Answered> =>
      ask(`${plain().url}/api/v1/polls/${id}/ballots`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...https, ...headers },
        body: '{"selections":["1"]}',
      });
    const first = await vote({});
    expect(first.status).toBe(201);
    expect(cookieOf(first)).toMatch(/^__Host-voter_id=[^;]+;.*; Secure$/u);
    expect((await vote({ cookie: cookieOf(first).split(';', 1)[0] ?? '' })).status).toBe(409);
  });

  test('http and nothing get plain cookies, and so does whoever is not trusted', async () => {
    for (const asked of [cast({ 'x-forwarded-proto': 'http' }), cast({}), cast(https, '127.0.0.2')]) {
      expect(cookieOf(await asked)).toMatch(/^voter_id=[^;]+;(?!.*Secure)/u);
    }
  });

  test('links lead to where the browser came from, and those for others to where they did', async () => {
    const poll = await createPoll(plain().url);
    const page = async (headers: Headers, from = '127.0.0.1'): Promise<string> =>
      (await ask(`${plain().url}/p/${poll.slug}`, { headers: { accept: 'text/html', ...headers }, from })).text();
    expect(await page(https)).toContain(`https://vote.example.org/p/${poll.slug}`);
    for (const other of [page(https, '127.0.0.2'), page({})]) {
      const html = await other;
      expect(html).toContain(`${plain().url}/p/${poll.slug}`);
      expect(html).not.toContain('vote.example.org');
    }
  });

  test.each([
    ['https://vote.example.org', https, undefined, 101],
    ['http://vote.example.org', https, undefined, 403],
    ['https://vote.example.org', { 'x-forwarded-host': 'vote.example.org' }, undefined, 101],
    ['https://vote.example.org', { 'x-forwarded-proto': 'https' }, undefined, 403],
    ['https://vote.example.org', https, '127.0.3.1', 403],
  ] as const)('a WebSocket from a page of %s with %j, sent by %s, gets %i', async (origin, claimed, from, status) => {
    const headers = { ...upgrade, ...claimed, origin, 'x-forwarded-for': makeClient() };
    const answer = await ask(socketUrl(), { headers, ...(from === undefined ? {} : { from }) });
    expect(answer.status).toBe(status);
  });

  test('a form of our page is taken by the address that the browser used', async () => {
    const { slug } = await createPoll(plain().url);
    const form = { method: 'POST', body: 'option=1&userId=alice' };
    const send = (headers: Headers, from = '127.0.0.1'): Promise<Answered> =>
      ask(`${plain().url}/p/${slug}`, {
        ...form,
        from,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: 'https://vote.example.org',
          ...headers,
        },
      });
    expect((await send(https, '127.0.0.2')).status).toBe(403);
    expect((await send(https)).status).toBe(303);
  });

  const socketUrl = (): string => `${plain().url}/api/v1/live`;
});

describe('with a public URL', () => {
  const server = shareTestServer(
    '--preset',
    'none',
    '--public-url',
    'https://vote.example',
    '--trusted-proxies',
    'loopback',
  );

  test('it decides links and cookies, whatever a proxy says', async () => {
    const claimed = { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'elsewhere.example' };
    const poll = await createPoll(server().url, { electorate: 'cookie' });
    const page = await ask(`${server().url}/p/${poll.slug}`, { headers: { accept: 'text/html', ...claimed } });
    expect(await page.text()).toContain(`https://vote.example/p/${poll.slug}`);
    const headers = { 'content-type': 'application/json', ...claimed };
    const url = `${server().url}/api/v1/polls/${poll.id}/ballots`;
    const { message } = await ask(url, { method: 'POST', headers, body: '{"selections":["1"]}' });
    expect(message.headers['set-cookie']?.[0]).toMatch(/^__Host-voter_id=[^;]+;.*; Secure$/u);
  });
});
