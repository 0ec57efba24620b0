import { expect, test } from 'vitest';
import { createPoll, get, post } from '../support/http.ts';
import { shareTestServer, startTestServer } from '../support/server.ts';

const shared = shareTestServer('--preset', 'none');

async function read(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

const pngWidth = (bytes: Buffer): number => bytes.readUInt32BE(16);

test('the QR code of a poll comes as a picture that scales and as one that does not', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  const svg = await read(`${server.url}/p/${poll.slug}/qr.svg`);
  expect(svg.headers.get('content-type')).toBe('image/svg+xml');
  expect(svg.headers.get('content-security-policy')).toContain('sandbox');
  const png = await read(`${server.url}/p/${poll.slug}/qr.png?size=300`);
  expect([png.headers.get('content-type'), pngWidth(png.bytes)]).toEqual(['image/png', 300]);
  for (const size of ['0', '255', '2049', '4000', 'x', '-1', '1e3']) {
    expect([size, (await read(`${server.url}/p/${poll.slug}/qr.png?size=${size}`)).status]).toEqual([size, 400]);
  }
  expect((await read(`${server.url}/p/none/qr.svg`)).status).toBe(404);
});

test('the picture for link previews shows the result, and changes when the results are hidden', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/p/${poll.slug}/card.png`;
  const empty = await read(url);
  expect([empty.status, pngWidth(empty.bytes), empty.bytes.readUInt32BE(20)]).toEqual([200, 1200, 630]);
  await fetch(`${server.url}/api/v1/polls/${poll.id}`, {
    method: 'PATCH',
    body: JSON.stringify({ visibility: 'manager' }),
    headers: { 'content-type': 'application/json', 'manage-key': poll.manageKey },
  });
  const before = await read(url);
  expect(before.bytes.equals(empty.bytes)).toBe(false);
  await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  expect((await read(url)).bytes.equals(before.bytes)).toBe(true);
});

test('the picture for link previews is kept while votes come in, and made anew at once when its poll is changed', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/p/${poll.slug}/card.png`;
  const headers = { 'content-type': 'application/json', 'manage-key': poll.manageKey };
  const first = await read(url);
  await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  expect((await read(url)).bytes.equals(first.bytes)).toBe(true);
  await fetch(`${server.url}/api/v1/polls/${poll.id}`, {
    method: 'PATCH',
    body: JSON.stringify({ question: 'Water?' }),
    headers,
  });
  const edited = await read(url);
  await fetch(`${server.url}/api/v1/polls/${poll.id}/close`, { method: 'POST', headers });
  const closed = await read(url);
  expect([edited.bytes.equals(first.bytes), closed.bytes.equals(edited.bytes)]).toEqual([false, false]);
});

test('more pictures than can be made at a time are refused, and votes are taken all the same', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const [casts, ...pictures] = await Promise.all([
    post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] }),
    ...Array.from({ length: 40 }, () => read(`${server.url}/p/${poll.slug}/qr.png?size=2048`)),
  ]);
  expect(casts.status).toBe(201);
  expect(new Set(pictures.map(({ status }) => status))).toEqual(new Set([200, 503]));
  const refused = pictures.find(({ status }) => status === 503);
  expect(refused?.headers.get('retry-after')).toBe('1');
  expect(JSON.parse(String(refused?.bytes))).toMatchObject({ code: 'images_busy' });
  await expect
    .poll(async () => (await read(`${server.url}/p/${poll.slug}/qr.png`)).status, { timeout: 20_000 })
    .toBe(200);
});

test('pages tell other sites of their picture and keep unlisted polls out of search engines', async () => {
  const server = await startTestServer('--preset', 'none', '--public-url', 'https://vote.example');
  const poll = await createPoll(server.url, { listed: false, question: 'A "quoted" <question>?' });
  const { text } = await get(`${server.url}/p/${poll.slug}`, { accept: 'text/html' });
  expect(text).toContain(`<meta property="og:image" content="https://vote.example/p/${poll.slug}/card.png">`);
  expect(text).toContain('A &quot;quoted&quot; &lt;question&gt;?');
  expect(text).not.toContain('<question>');
  expect(text).toContain('<meta name="robots" content="noindex">');
  const listed = await createPoll(server.url);
  expect((await get(`${server.url}/p/${listed.slug}`, { accept: 'text/html' })).text).not.toContain('noindex');
});

test('an address that a client makes up does not get into links', async () => {
  const server = shared();
  const poll = await createPoll(server.url);
  const { text } = await get(`${server.url}/p/${poll.slug}`, { accept: 'text/html' });
  expect(text).toContain(`"publicUrl":"${server.url}"`);
});

test('votes over time are summed, filled and hidden as the tally is', async () => {
  const server = shared();
  const poll = await createPoll(server.url, { electorate: 'open' });
  const url = `${server.url}/api/v1/polls/${poll.id}/series`;
  expect((await get(url)).json).toEqual({ pollId: poll.id, stepSeconds: 1, points: [], peak: null });
  await Promise.all(
    Array.from({ length: 9 }, () => post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] })),
  );
  const votes = async (): Promise<number> => {
    const { points } = (await get(url)).json as { points: { votes: number }[] };
    return points.reduce((sum, point) => sum + point.votes, 0);
  };
  // A series is kept for a second or more.
  await expect.poll(votes, { timeout: 20_000 }).toBe(9);
  const hidden = await createPoll(server.url, { visibility: 'after_close' });
  expect((await get(`${server.url}/api/v1/polls/${hidden.id}/series`)).status).toBe(403);
});
