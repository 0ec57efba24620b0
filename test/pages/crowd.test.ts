/** What a crowd loads at once: the files of a page, and pages that are made once for all. */
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createPoll, post, send, type TestPoll } from '../support/http.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');

type Raw = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly bytes: Buffer };

/** As it comes, packed or not. */
function load(path: string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    ask(`${server().url}${path}`, { headers: { accept: 'text/html', ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('error', reject)
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
        );
    })
      .on('error', reject)
      .end();
  });
}

async function loadPage(path: string, headers: Record<string, string> = {}): Promise<string> {
  const { bytes, headers: got } = await load(path, { 'accept-encoding': 'gzip', ...headers });
  expect(got['content-encoding']).toBe('gzip');
  return gunzipSync(bytes).toString();
}

type PageData = { readonly setting: { readonly nowMs: number }; readonly props: { readonly idempotencyKey: string } };

function readData(html: string): PageData {
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/su.exec(html)?.[1] ?? '';
  return JSON.parse(json) as PageData; // As the page's script reads it.
}

const cast = (poll: TestPoll, userId: string) =>
  post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId });

test('a file comes in the smallest form that the client takes, and has not to come again', async () => {
  const poll = await createPoll(server().url);
  const [script = ''] = /\/assets\/vote-[\w-]+\.js/u.exec(await loadPage(`/p/${poll.slug}`)) ?? [];
  const plain = await load(script);
  expect(plain).toMatchObject({
    status: 200,
    headers: {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
      'x-content-type-options': 'nosniff',
    },
  });
  expect(plain.headers['content-encoding']).toBeUndefined();
  const brotli = await load(script, { 'accept-encoding': 'gzip, deflate, br' });
  const gzip = await load(script, { 'accept-encoding': 'gzip;q=0.5, br;q=0' });
  expect([brotli, gzip].map(({ headers }) => headers['content-encoding'])).toEqual(['br', 'gzip']);
  expect(brotliDecompressSync(brotli.bytes)).toEqual(plain.bytes);
  expect(gunzipSync(gzip.bytes)).toEqual(plain.bytes);
  const again = await load(script, { 'accept-encoding': 'br', 'if-none-match': brotli.headers.etag ?? '' });
  expect([again.status, again.bytes.length]).toEqual([304, 0]);
});

test.for(['nothing.js', 'vote.css', '..%2f..%2fpackage.json', 'manifest.vote.json', '%00', ''])(
  'there is no file %j, and nobody keeps that',
  async (name) => {
    const { status, headers } = await load(`/assets/${name}`);
    expect(status).toBe(404);
    expect(headers['cache-control'] ?? '').not.toContain('max-age');
  },
);

test('two visitors get one page with a key and a time of their own', async () => {
  const poll = await createPoll(server().url);
  const pages = [await loadPage(`/p/${poll.slug}`), await loadPage(`/p/${poll.slug}`)];
  const [first, second] = pages.map(readData);
  expect(first?.props.idempotencyKey).toMatch(/^[\w-]{36}$/u);
  expect(first?.props.idempotencyKey).not.toBe(second?.props.idempotencyKey);
  expect(second?.setting.nowMs).toBeGreaterThanOrEqual(first?.setting.nowMs ?? 0);
  for (const [index, page] of pages.entries()) {
    expect(page).toContain(`name="key" value="${readData(page).props.idempotencyKey}"`);
    expect(pages[1 - index]).not.toContain(readData(page).props.idempotencyKey);
  }
  const plain = (await load(`/p/${poll.slug}`)).bytes.toString();
  const blank = (page: string) => page.replaceAll(readData(page).props.idempotencyKey, '').replace(/"nowMs":\d+/u, '');
  expect(blank(plain)).toBe(blank(pages[0] ?? ''));
});

test('a page that is kept is never older than the poll, its votes, or the address and the language that ask', async () => {
  const poll = await createPoll(server().url, { question: 'Tea or coffee?', layout: 'board' });
  const path = `/p/${poll.slug}`;
  for (const votes of [0, 1, 2]) {
    expect(await loadPage(path)).toContain(`"total":${votes},`);
    expect(await loadPage(`${path}/results`)).toContain(`"total":${votes},`);
    await cast(poll, `voter ${votes}`);
  }
  expect(await loadPage(path, { 'accept-language': 'de' })).toContain('<html lang="de"');
  expect(await loadPage(path)).toContain('<html lang="en"');
  expect(await loadPage(path, { host: 'vote.example.org' })).toContain('http://vote.example.org/p/');
  expect(await loadPage(path)).not.toContain('vote.example.org');
  const headers = { 'manage-key': poll.manageKey };
  await send('PATCH', `${server().url}/api/v1/polls/${poll.id}`, { question: 'Tea, coffee or water?' }, headers);
  expect(await loadPage(path)).toContain('Tea, coffee or water?');
  await post(`${server().url}/api/v1/polls/${poll.id}/close`, {}, headers);
  expect(await loadPage(path)).toContain('"status":"closed"');
});
