import { connect } from 'node:net';
import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { get, send } from '../support/http.ts';
import { openMuteSocket } from '../support/wire.ts';
import { cookieOf, sendForm, startDuel, type DuelServer } from '../support/duel.ts';

type Heard = { readonly event: string; readonly payload: unknown };
type Listener = { readonly socket: Socket; readonly heard: Heard[]; scores(): unknown[] };

/** A client as the shop sells it, that keeps what it hears. Closed when the test has finished. */
function listen({ resultsUrl }: DuelServer, transport?: 'polling' | 'websocket'): Listener {
  const socket = io(resultsUrl, {
    forceNew: true,
    reconnection: false,
    ...(transport === undefined ? {} : { transports: [transport] }),
  });
  onTestFinished(() => void socket.close());
  const heard: Heard[] = [];
  socket.onAny((event: string, payload: unknown) => heard.push({ event, payload }));
  return {
    socket,
    heard,
    scores: () => heard.filter(({ event }) => event === 'scores').map(({ payload }) => JSON.parse(String(payload))),
  };
}

/** socket.io-client has emitters of its own, which Node's `once` does not know. */
function next(emitter: { once(event: string, listener: () => void): unknown }, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, resolve);
  });
}

async function hearScores(listener: Listener, scores: object): Promise<void> {
  await expect.poll(() => listener.scores().at(-1)).toEqual(scores);
}

describe.each(['polling', 'websocket'] as const)('a stock client over %s only', (transport) => {
  test('is welcomed, then hears the scores as JSON in a text, at once', async () => {
    const server = await startDuel();
    await sendForm(server.url, 'vote=a');
    const listener = listen(server, transport);
    await hearScores(listener, { a: 1, b: 0 });
    expect(listener.heard.slice(0, 2)).toEqual([
      { event: 'message', payload: { text: 'Welcome!' } },
      { event: 'scores', payload: '{"a":1,"b":0}' },
    ]);
  });

  test('hears every change, also a vote that was changed', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    await hearScores(listener, { a: 0, b: 0 });
    const cookie = cookieOf(await sendForm(server.url, 'vote=a'));
    await hearScores(listener, { a: 1, b: 0 });
    await sendForm(server.url, 'vote=b', { cookie });
    await hearScores(listener, { a: 0, b: 1 });
    await Promise.all(Array.from({ length: 60 }, () => sendForm(server.url, 'vote=a')));
    await hearScores(listener, { a: 60, b: 1 });
  });

  test('hears the scores again and again where nothing changes', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    await expect.poll(() => listener.scores().length).toBeGreaterThan(3);
    expect(new Set(listener.scores().map((scores) => JSON.stringify(scores)))).toEqual(new Set(['{"a":0,"b":0}']));
  });

  test('may subscribe to whatever it likes, without a payload and with nonsense', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    await next(listener.socket, 'connect');
    const { socket } = listener;
    socket.emit('subscribe', { channel: 'scores' });
    socket.emit('subscribe');
    for (const nonsense of [
      null,
      7,
      [],
      { channel: null },
      { __proto__: null, channel: { length: 1e9 } },
      'x',
      Buffer.of(0),
    ]) {
      socket.emit('subscribe', nonsense);
    }
    socket.emit('constructor', 'x');
    await sendForm(server.url, 'vote=b');
    await hearScores(listener, { a: 0, b: 1 });
    expect(socket.connected).toBe(true);
  });

  test('that says too much at once is cut off, and the others hear on', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    const loud = listen(server, transport);
    await next(loud.socket, 'connect');
    loud.socket.emit('subscribe', 'x'.repeat(100_000));
    await next(loud.socket, 'disconnect');
    await sendForm(server.url, 'vote=a');
    await hearScores(listener, { a: 1, b: 0 });
  });

  test('that never stops talking is cut off, and the others hear on', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    const loud = listen(server, transport);
    await next(loud.socket, 'connect');
    for (let index = 0; index < 500; index += 1) loud.socket.emit('subscribe', { channel: index });
    await next(loud.socket, 'disconnect');
    await sendForm(server.url, 'vote=a');
    await hearScores(listener, { a: 1, b: 0 });
  });

  test('is told when the server ends, which does not wait for it', async () => {
    const server = await startDuel();
    const listener = listen(server, transport);
    await hearScores(listener, { a: 0, b: 0 });
    const ended = next(listener.socket, 'disconnect');
    await server.stop();
    await ended;
    const socket = connect(Number(new URL(server.resultsUrl).port), '127.0.0.1');
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('the results port', () => {
  test('a client that changes from polling to WebSocket misses nothing', async () => {
    const server = await startDuel();
    const listener = listen(server);
    await next(listener.socket, 'connect');
    if (listener.socket.io.engine.transport.name !== 'websocket') await next(listener.socket.io.engine, 'upgrade');
    await sendForm(server.url, 'vote=a');
    await hearScores(listener, { a: 1, b: 0 });
  });

  test.each(['polling', 'websocket'] as const)(
    'takes as many clients over %s as one address may hold, and another when one has gone',
    async (transport) => {
      const server = await startDuel('--sockets-per-address-max', '3');
      const listeners = Array.from({ length: 3 }, () => listen(server, transport));
      await Promise.all(listeners.map(({ socket }) => next(socket, 'connect')));
      await next(listen(server, transport).socket, 'connect_error');
      const gone = listeners[0];
      gone?.socket.close();
      await expect
        .poll(async () => {
          const { socket } = listen(server, transport);
          await Promise.race([next(socket, 'connect'), next(socket, 'connect_error')]);
          return socket.connected;
        })
        .toBe(true);
    },
  );

  test('a handshake that breaks off leaves its place to others', async () => {
    const server = await startDuel('--sockets-per-address-max', '2');
    const port = Number(new URL(server.resultsUrl).port);
    for (let round = 0; round < 6; round += 1) {
      const wire = connect(port, '127.0.0.1');
      wire.write(
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      await once(wire, 'data');
      wire.destroy();
    }
    await expect
      .poll(async () => (await get(`${server.resultsUrl}/socket.io/?EIO=4&transport=polling`)).status)
      .toBe(200);
  });

  test('a client that never answers a goodbye does not hold up the end', async () => {
    const server = await startDuel('--drain-timeout-ms', '600000');
    await openMuteSocket(server.resultsUrl, '/socket.io/?EIO=4&transport=websocket');
    await server.stop();
  });

  test('hands out the client, and takes pages of any origin', async () => {
    const server = await startDuel();
    for (const name of ['socket.io.js', 'socket.io.min.js']) {
      const client = await get(`${server.resultsUrl}/socket.io/${name}`);
      expect([client.status, client.headers.get('content-type')]).toEqual([
        200,
        'application/javascript; charset=utf-8',
      ]);
      expect(client.text).toContain('Socket.IO v4.');
    }
    const handshake = await get(`${server.resultsUrl}/socket.io/?EIO=4&transport=polling`, {
      origin: 'https://elsewhere.example',
    });
    expect([handshake.status, handshake.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(handshake.text).toMatch(/^0\{"sid":/u);
  });

  test.each([
    '?EIO=3&transport=polling',
    '?EIO=4&transport=nonsense',
    '?EIO=4&transport=polling&sid=unknown',
    '?EIO=4&transport=polling&sid=__proto__',
    '',
  ])('refuses the handshake "%s" with 400', async (query) => {
    const server = await startDuel();
    expect((await get(`${server.resultsUrl}/socket.io/${query}`)).status).toBe(400);
    expect((await get(`${server.resultsUrl}/healthz`)).status).toBe(200);
  });

  test('the page says how many votes there are, before any script runs', async () => {
    const server = await startDuel();
    const said = async () => {
      const { text } = await get(server.resultsUrl);
      const shares = [...text.matchAll(/class="share num">([^<]*)</gu)].map((match) => match[1]);
      return [/id="result"[^>]*>([^<]*)</u.exec(text)?.[1], ...shares];
    };
    expect(await said()).toEqual(['No votes yet', '0.0%', '0.0%']);
    await sendForm(server.url, 'vote=a');
    expect(await said()).toEqual(['1 vote', '100.0%', '0.0%']);
    await sendForm(server.url, 'vote=a');
    await sendForm(server.url, 'vote=b');
    expect(await said()).toEqual(['3 votes', '66.7%', '33.3%']);
  });

  test('the page loads nothing from another host, and all that it loads is there', async () => {
    const server = await startDuel();
    const page = await get(server.resultsUrl);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]*)"/gu)].map((match) => match[1] ?? '');
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) {
      expect(address).toMatch(/^\/(?!\/)/u);
      expect([address, (await get(`${server.resultsUrl}${address}`)).status]).toEqual([address, 200]);
    }
  });

  test('results that their manager hides are on neither the page nor the stream', async () => {
    const server = await startDuel();
    const listener = listen(server, 'websocket');
    await hearScores(listener, { a: 0, b: 0 });
    const manageKey = server.running.sample?.manageKey ?? '';
    const hidden = await send(
      'PATCH',
      `${server.url}/api/v1/polls/duel`,
      { visibility: 'manager' },
      { 'manage-key': manageKey },
    );
    expect(hidden.status).toBe(200);
    await sendForm(server.url, 'vote=a');
    expect((await get(server.resultsUrl)).text).toContain('The results are hidden');
    const late = listen(server, 'websocket');
    await expect.poll(() => late.heard.length).toBe(1);
    expect(late.heard[0]?.event).toBe('message');
    expect(listener.scores().some((scores) => JSON.stringify(scores) !== '{"a":0,"b":0}')).toBe(false);
  });
});
