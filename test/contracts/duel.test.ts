import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { get, hostileBodies, post, send } from '../support/http.ts';
import { cookieOf, countVotes, markedChoice, sendForm, shareDuel, startDuel, startDuelOn } from '../support/duel.ts';
import { startTestServer } from '../support/server.ts';
import { ask } from '../support/wire.ts';

const run = promisify(execFile);
const mainFile = new URL('../../server/hustings.mjs', import.meta.url).pathname;

describe('the vote page', () => {
  test('has what clients rely on, and loads nothing from another host', async () => {
    const server = await startDuel();
    const page = await get(`${server.url}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const part of [
      '<title>Cats vs Dogs!</title>',
      '<form id="choice" method="POST" action="/">',
      '<button id="a" type="submit" name="vote" value="a">',
      '<button id="b" type="submit" name="vote" value="b">',
      '<p id="tip">(Tip: you can change your vote)</p>',
      '<p id="hostname">',
    ]) {
      expect(page.text).toContain(part);
    }
    expect(markedChoice(page.text)).toBeNull();
    const addresses = [...page.text.matchAll(/(?:src|href|action)="([^"]*)"/gu)].map((match) => match[1]);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) expect(address).toMatch(/^\/(?!\/)/u);
    expect(page.text).not.toMatch(/<script|style=|<style|\son\w+=/u);
    for (const [, address] of page.text.matchAll(/href="(\/assets\/[^"]*)"/gu)) {
      expect((await get(`${server.url}${address}`)).status).toBe(200);
    }
  });

  test('its policy allows no inline script and no inline style', async () => {
    const server = await startDuel();
    const policy = (await get(`${server.url}/`)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).not.toContain('unsafe');
  });

  test('sets the cookie at every answer, and keeps a voter who has one', async () => {
    const server = await startDuel();
    const first = await get(`${server.url}/`);
    expect(first.headers.get('set-cookie')).toMatch(/^voter_id=[^;]+; Path=\/; .*HttpOnly; SameSite=Lax/u);
    const cookie = cookieOf(first);
    expect(cookieOf(await get(`${server.url}/`, { cookie: `voter_id=${cookie}` }))).toBe(cookie);
    expect(cookieOf(await sendForm(server.url, 'vote=a', { cookie }))).toBe(cookie);
    expect(cookieOf(await sendForm(server.url, 'vote=b', { cookie }))).toBe(cookie);
    expect(await countVotes(server)).toEqual({ b: 1 });
  });

  test('marks the choice after a vote, and is as long for every voter', async () => {
    const server = await startDuel();
    const pages = [
      await get(`${server.url}/`),
      await get(`${server.url}/`, { cookie: `voter_id=${cookieOf(await sendForm(server.url, 'vote=b'))}` }),
      await sendForm(server.url, 'vote=a'),
      await sendForm(server.url, 'vote=b'),
    ];
    expect(pages.map(({ text }) => markedChoice(text))).toEqual([null, null, 'a', 'b']);
    expect(pages[2]?.text).toContain('Your vote');
    expect(new Set(pages.map(({ headers }) => headers.get('content-length'))).size).toBe(1);
    const packed = await get(`${server.url}/`, { 'accept-encoding': 'gzip, br' });
    expect(packed.headers.get('content-encoding')).toBeNull();
  });

  test('a program without a taste for HTML gets 200 as well: the address is the health check', async () => {
    const server = await startDuel();
    for (const url of [server.url, server.resultsUrl]) {
      expect((await get(`${url}/`, { accept: 'application/json' })).status).toBe(200);
      expect((await get(`${url}/healthz`)).json).toEqual({ status: 'alive' });
      expect((await get(`${url}/readyz`)).json).toMatchObject({ status: 'ready' });
    }
  });

  test('names that are code are shown as text', async () => {
    const name = `<img src=x onerror="alert(1)">'&`;
    const server = await startDuel('--option-a', name, '--option-b', '</title><script>alert(2)</script>');
    const voted = await sendForm(server.url, 'vote=a');
    for (const text of [voted.text, (await sendForm(server.url, 'vote=c')).text, (await get(server.resultsUrl)).text]) {
      expect(text).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;');
      expect(text).not.toMatch(/<img|<script>/u);
    }
    expect(markedChoice(voted.text)).toBe('a');
  });
});

describe('what is no vote', () => {
  const server = shareDuel();

  test.each([
    '',
    'vote=',
    'vote=c',
    'vote=A',
    'vote=a&vote=b',
    'vote[]=a',
    'choice=a',
    'vote=a%00',
    'vote=%ZZ',
    '%00=a',
  ])('of the form "%s" is refused with 400 in HTML, and nothing is recorded', async (body) => {
    const answer = await sendForm(server().url, body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.text).toContain('No vote was recorded');
    expect(await countVotes(server())).toEqual({});
  });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/x-nonsense'])(
    'sent as %s is refused in HTML',
    async (type) => {
      const answer = await ask(server().url, {
        method: 'POST',
        path: '/',
        headers: { 'content-type': type },
        body: '{"vote":"a"}',
      });
      expect([type, answer.status, answer.header('content-type')]).toEqual([type, 400, 'text/html; charset=utf-8']);
      expect(await countVotes(server())).toEqual({});
    },
  );

  test.for(hostileBodies)('%s gets a 4xx in HTML, as a form and as JSON', async ([, body]) => {
    for (const type of ['application/x-www-form-urlencoded', 'application/json']) {
      const answer = await send('POST', `${server().url}/`, body, { 'content-type': type });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    }
    expect(await countVotes(server())).toEqual({});
  });
});

describe('a vote', () => {
  test('without a cookie is that of a new voter', async () => {
    const server = await startDuel();
    for (const vote of ['a', 'a', 'b']) await sendForm(server.url, `vote=${vote}`);
    expect(await countVotes(server)).toEqual({ a: 2, b: 1 });
  });

  test('with a cookie that is made up or was changed is that of a new voter, who gets a cookie of ours', async () => {
    const server = await startDuel();
    const cookie = cookieOf(await sendForm(server.url, 'vote=a'));
    const forged = [
      '8cfe3a1b2c',
      'x'.repeat(300),
      `${cookie.slice(0, -4)}AAAA`,
      `Z${cookie.slice(1)}`,
      '%00',
      '%E0%A4%A',
    ];
    for (const [index, value] of forged.entries()) {
      const answer = await sendForm(server.url, 'vote=b', { cookie: value });
      expect(answer.status).toBe(200);
      expect(cookieOf(answer)).not.toBe(value);
      expect(await countVotes(server)).toEqual({ a: 1, b: index + 1 });
    }
  });

  test('replaces the earlier one of the same voter, and the number of voters stays', async () => {
    const server = await startDuel();
    const cookie = cookieOf(await sendForm(server.url, 'vote=a'));
    for (const vote of ['b', 'a', 'b', 'b']) {
      expect(markedChoice((await sendForm(server.url, `vote=${vote}`, { cookie })).text)).toBe(vote);
      expect(await countVotes(server)).toEqual({ [vote]: 1 });
    }
  });

  test('of many at once by one voter, the last accepted counts', async () => {
    const server = await startDuel();
    const cookie = cookieOf(await sendForm(server.url, 'vote=a'));
    for (let round = 0; round < 5; round += 1) {
      const votes = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'b' : 'a'));
      const answers = await Promise.all(votes.map((vote) => sendForm(server.url, `vote=${vote}`, { cookie })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const [last] = await server.query<{ selections: string }>(
        'select selections from ballot_history order by ballot_id desc limit 1',
      );
      expect(await countVotes(server)).toEqual({ [last?.selections === '1' ? 'a' : 'b']: 1 });
    }
    await sendForm(server.url, 'vote=a', { cookie });
    expect(await countVotes(server)).toEqual({ a: 1 });
  });

  test('sent again with the same Idempotency-Key counts once, also where the answer with the cookie was lost', async () => {
    const server = await startDuel();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect((await sendForm(server.url, 'vote=a', { 'idempotency-key': 'k1' })).status).toBe(200);
    }
    expect(await countVotes(server)).toEqual({ a: 1 });
  });

  test("sent by another site's page is refused with 403 in HTML; programs and our own page pass", async () => {
    const server = await startDuel();
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      const answer = await ask(server.url, {
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: 'vote=a',
      });
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(answer.header('content-type')).toBe('text/html; charset=utf-8');
    }
    expect(await countVotes(server)).toEqual({});
    for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: 'http://localhost' }, {}]) {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await ask(server.url, {
        method: 'POST',
        path: '/',
        headers: { ...type, ...headers },
        body: 'vote=a',
      });
      expect(answer.status).toBe(200);
    }
  });

  test('stays through a restart, and so does its voter', async () => {
    const first = await startDuel();
    const cookie = cookieOf(await sendForm(first.url, 'vote=a'));
    await sendForm(first.url, 'vote=b');
    await first.stop();
    const second = await startDuelOn(first.databaseUrl);
    expect((await get(second.resultsUrl)).text).toContain('>2 votes</p>');
    await sendForm(second.url, 'vote=b', { cookie });
    expect(await countVotes(second)).toEqual({ b: 2 });
  });
});

describe('the preset', () => {
  test('other methods are answered with 405 and Allow, on both ports', async () => {
    const server = await startDuel();
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const answer = await send(method, `${server.url}/`);
      expect([method, answer.status]).toEqual([method, 405]);
      expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    }
    const answer = await sendForm(server.resultsUrl, 'vote=a');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('gives the options the names that it is told while nobody has voted, and keeps them afterwards', async () => {
    const first = await startDuel();
    await first.stop();
    const second = await startDuelOn(first.databaseUrl, '--option-a', 'Tea', '--option-b', 'Coffee');
    expect((await get(second.url)).text).toContain('<title>Tea vs Coffee!</title>');
    expect((await sendForm(second.url, 'vote=b')).text).toContain('<bdi>Coffee</bdi>');
    await second.stop();
    const third = await startDuelOn(first.databaseUrl, '--option-a', 'Left', '--option-b', 'Right');
    expect((await get(third.url)).text).toContain('<title>Tea vs Coffee!</title>');
    expect((await get(third.resultsUrl)).text).toContain('<bdi>Tea</bdi> vs <bdi>Coffee</bdi>!');
  });

  test('stops the start where the slug belongs to another poll', async () => {
    const server = await startTestServer('--preset', 'none');
    await post(`${server.url}/api/v1/polls`, { question: 'Who?', slug: 'duel', options: ['You', 'Me'] });
    await expect(startDuelOn(server.databaseUrl)).rejects.toThrow('The poll with the slug "duel" is no duel');
  });

  test('leaves the rest of the API where it is', async () => {
    const server = await startDuel();
    await sendForm(server.url, 'vote=a');
    const answer = await get(`${server.url}/api/v1/polls/duel`);
    expect(answer.json).toMatchObject({
      electorate: 'cookie',
      revote: 'replace',
      visibility: 'always',
      status: 'open',
    });
    expect((await get(`${server.url}/api/v1/polls/duel/tally`)).json).toMatchObject({ total: 1 });
    expect((await get(`${server.url}/p/duel/results`)).status).toBe(200);
  });

  test('without it there is no duel', async () => {
    const server = await startTestServer('--preset', 'none');
    expect(server.running.resultsPort).toBeNull();
    expect((await get(`${server.url}/api/v1/polls/duel`)).status).toBe(404);
    expect((await get(`${server.url}/`)).json).toEqual({ status: 'healthy' });
    expect(await countVotes(server)).toEqual({});
  });

  test('the view shows each vote with a key in place of the voter, and no vote of another poll', async () => {
    const server = await startDuel();
    const { json } = await post(`${server.url}/api/v1/polls`, {
      question: 'Who?',
      options: ['You', 'Me'],
      electorate: 'open',
    });
    await post(`${server.url}/api/v1/polls/${(json as { id: string }).id}/ballots`, { selections: ['1'] });
    const cookie = decodeURIComponent(cookieOf(await sendForm(server.url, 'vote=a')));
    const rows = await server.query('select * from votes');
    expect(rows).toEqual([
      { id: expect.any(String), voter_id: expect.any(String), vote: 'a', created_at: expect.anything() },
    ]);
    expect(cookie).not.toContain(rows[0]?.['voter_id']);
  });
});

describe('hustings seed duel', () => {
  test('casts 3,000 votes through the front door, says how far it is, and sums up', async () => {
    const server = await startDuel();
    const { stdout, stderr } = await run(process.execPath, [mainFile, 'seed', 'duel', '--url', server.url]);
    expect(stdout).toBe(`3000 votes cast at ${server.url}: 2000 a, 1000 b.\n`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(10);
    expect(await countVotes(server)).toEqual({ a: 2_000, b: 1_000 });
  });

  test('waits politely where the server is full, and still counts each vote once', async () => {
    const server = await startDuel('--ballots-waiting-max', '4', '--batch-ballots-max', '2', '--recorder-lanes', '1');
    const { stdout } = await run(process.execPath, [mainFile, 'seed', 'duel', '--url', server.url]);
    expect(stdout).toMatch(/^3000 votes cast at \S+: 2000 a, 1000 b, after \d+ retries\.\n$/u);
    expect(await countVotes(server)).toEqual({ a: 2_000, b: 1_000 });
  });

  test('ends with one line where the server is none of ours', async () => {
    const server = await startTestServer('--preset', 'none');
    const child = run(process.execPath, [mainFile, 'seed', 'duel', '--url', server.url]);
    await expect(child).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Does it run with --preset duel?'),
    });
    onTestFinished(() => void child.child.kill());
  });
});
