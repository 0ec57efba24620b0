/** What keeps the pages safe, as a browser enforces it: headers, cookies, forms of other sites, the manage key. */
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { shareBrowser, untilAlive, type Visitor } from '../support/browser.ts';
import { createPoll, get, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { totalOf } from '../support/polls.ts';
import { shareTestServer, startTestServer } from '../support/server.ts';
import { serveSite } from '../support/sites.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

async function pathsOf(poll: TestPoll): Promise<string[]> {
  const cast = await post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: 'ada' });
  const { ballotId } = cast.json as TestReceipt; // The shape is what the tests of the API check.
  const own = ['', '/results', '/present', '/manage'].map((path) => `/p/${poll.slug}${path}`);
  return ['/', '/join', '/j/ZZZZZZ', '/leaderboard', ...own, `/embed/${poll.slug}`, `/r/${ballotId}`, '/nowhere'];
}

test('every page allows nothing inline and nothing from elsewhere, is framed by nobody, and tells other sites nothing', async () => {
  const poll = await createPoll(server().url);
  for (const path of await pathsOf(poll)) {
    const { headers } = await get(`${server().url}${path}`, { accept: 'text/html' });
    const policy = headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split(';').map((each) => each.trim().split(/ (.*)/su).slice(0, 2) as [string, string]),
    ); // A name and its sources.
    expect([path, policy.includes('unsafe'), directives.get('default-src')]).toEqual([path, false, "'none'"]);
    for (const kind of ['script-src', 'style-src', 'connect-src', 'form-action']) {
      expect([path, kind, directives.get(kind)]).toEqual([path, kind, "'self'"]);
    }
    expect([path, directives.get('base-uri'), directives.get('frame-ancestors')]).toEqual([path, "'none'", "'none'"]);
    expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    expect([path, headers.get('referrer-policy')]).toEqual([
      path,
      expect.stringMatching(/^(?:no-referrer|same-origin)$/u),
    ]);
  }
});

test('a browser refuses to run code that somebody put into a page', async () => {
  const poll = await createPoll(server().url);
  const visitor = await browser.visitor({ expected: [/Content Security Policy|status of 404/u] });
  const page = await visitor.open(`${server().url}/p/${poll.slug}`);
  await page.evaluate(
    `document.body.insertAdjacentHTML('beforeend', '<img src="/nowhere.png" onerror="window.hostile = 1">')`,
  );
  await page.evaluate(`{
    const script = document.createElement('script');
    script.textContent = 'window.hostile = 1';
    document.body.append(script);
  }`);
  await expect
    .poll(() => visitor.faults.filter((fault) => fault.includes('Content Security Policy')).length)
    .toBeGreaterThan(0);
  expect(await page.evaluate('window.hostile')).toBeUndefined();
});

test('the cookie of a voter is kept from scripts and from other sites', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const visitor = await browser.visitor();
  const page = await visitor.open(`${server().url}/p/${poll.slug}`);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Your vote is counted').waitFor();
  expect(await visitor.context.cookies()).toEqual([
    expect.objectContaining({ name: 'voter_id', httpOnly: true, sameSite: 'Lax', path: '/' }),
  ]);
  expect(await page.evaluate('document.cookie')).toBe('');
});

test('behind HTTPS the cookies are secure and of this host alone', async () => {
  const https = await startTestServer('--preset', 'none', '--public-url', 'https://vote.example.org');
  const poll = await createPoll(https.url, { electorate: 'cookie' });
  const vote = await post(`${https.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
  const manage = await post(
    `${https.url}/api/v1/polls/${poll.id}/manage-session`,
    {},
    { 'manage-key': poll.manageKey },
  );
  for (const cookie of [vote, manage].map(({ headers }) => headers.get('set-cookie') ?? '')) {
    expect(cookie).toMatch(/^__Host-(?:voter_id|manages)=/u);
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/']) expect(cookie).toContain(attribute);
  }
});

test('a form on a page of another site casts nothing and makes nothing', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const form = (action: string, fields: string): string =>
    `<!doctype html><title>x</title><form method="post" action="${server().url}${action}">${fields}<button>Go</button></form>`;
  const site = await serveSite({
    '/vote': form(`/p/${poll.slug}`, '<input name="option" value="1"><input name="key" value="foreign">'),
    '/embed': form(`/embed/${poll.slug}`, '<input name="option" value="1"><input name="key" value="foreign">'),
    '/create': form(
      '/',
      '<input name="question" value="Foreign?"><input name="option" value="A"><input name="option" value="B">',
    ),
  });
  const visitor = await browser.visitor({ javaScript: false, expected: [/status of 40[34]/u] });
  for (const path of ['/vote', '/embed', '/create']) {
    const page = await visitor.context.newPage();
    await page.goto(`${site.origin}${path}`);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.getByRole('button', { name: 'Go' }).click(),
    ]);
    expect([path, answer.status()]).toEqual([path, 403]);
  }
  expect(await totalOf(server().url, poll)).toBe(0);
  expect((await get(`${server().url}/api/v1/polls`)).text).not.toContain('Foreign?');
});

test('a script on a page of another site casts nothing', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const site = await serveSite({ '/': '<!doctype html><title>x</title>' });
  const visitor = await browser.visitor({ expected: [/CORS|ERR_FAILED|status of 404/u] });
  const page = await visitor.context.newPage();
  await page.goto(`${site.origin}/`);
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
    const outcome = await page.evaluate(`fetch('${server().url}/api/v1/polls/${poll.id}/ballots', {
      method: 'POST', credentials: 'include', headers: { 'content-type': '${type}' }, body: '{"selections":["1"]}',
    }).then(({ status }) => status, () => 'refused')`);
    expect([type, outcome]).toEqual([type, 'refused']);
  }
  expect(await totalOf(server().url, poll)).toBe(0);
});

test('the manage key is in no address that is asked for, and the cookie in its place manages', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', visibility: 'manager' });
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey}`);
  await expect.poll(async () => (await visitor.context.cookies()).map(({ name }) => name)).toEqual(['manages']);
  expectNoKey(visitor, poll);
  expect((await visitor.context.cookies()).map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([
    [true, 'Lax'],
  ]);
  expect(JSON.stringify(await visitor.context.cookies())).not.toContain(poll.manageKey);
  await page.goto(`${server().url}/p/${poll.slug}/results`);
  await page.getByText('No votes yet').waitFor();
  await page.goto(`${server().url}/p/${poll.slug}/present`);
  await untilAlive(page);
  await page.keyboard.press('Space');
  await expect
    .poll(async () => (await get(`${server().url}/api/v1/polls/${poll.id}`)).json)
    .toMatchObject({ status: 'closed' });
  expectNoKey(visitor, poll);
});

function expectNoKey({ requests }: Visitor, { manageKey }: TestPoll): void {
  // The fragment of an address stays in the browser.
  const sent = requests.map((each) => `${each.url().replace(/#.*$/u, '')} ${each.headers()['referer'] ?? ''}`);
  expect(sent.filter((each) => each.includes(manageKey) || each.includes(encodeURIComponent(manageKey)))).toEqual([]);
}

test('a wrong manage key opens nothing', async () => {
  const poll = await createPoll(server().url, { visibility: 'manager' });
  const visitor = await browser.visitor({ expected: [/status of 40[13]/u] });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey.slice(0, -3)}abc`);
  await expect
    .poll(() => visitor.requests.filter((each) => each.url().endsWith('/manage-session')).length)
    .toBeGreaterThan(0);
  await page.getByText('This is not the key of this vote.').waitFor();
  expect(await visitor.context.cookies()).toEqual([]);
});

test('the first visit to the vote page takes less than 30 kB in all, and nothing comes from another host', async () => {
  const poll = await createPoll(server().url, {
    electorate: 'cookie',
    question: 'Which of these features shall we build first?',
    description: 'One vote each. The results show while voting.',
    options: Array.from({ length: 8 }, (_, index) => `A feature with quite a long name, number ${index + 1}`),
  });
  const visitor = await browser.visitor();
  const page = await visitor.open(`${server().url}/p/${poll.slug}`);
  await page.waitForLoadState('networkidle');
  const linked = await page.locator('link[href][rel~="icon"]').evaluateAll((links) => links.map((link) => link.href));
  const urls = new Set(
    [...visitor.requests.map((each) => each.url()), ...linked].filter((url) => url.startsWith('http')),
  );
  const sizes: [path: string, bytes: number][] = [];
  for (const url of urls) sizes.push([new URL(url).pathname, await packedBytesOf(url)]);
  const sum = sizes.reduce((total, [, bytes]) => total + bytes, 0);
  expect(sizes.length).toBeGreaterThan(3);
  expect([sum, sizes]).toEqual([expect.toSatisfy((bytes: number) => bytes < 30_000), sizes]);
  console.log(`The vote page: ${sum} bytes, ${sizes.map(([path, bytes]) => `${path} ${bytes}`).join(', ')}`);
});

/** The bytes of an answer's body with gzip, as it travels. */
function packedBytesOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/html,*/*', 'accept-encoding': 'gzip' };
    request(url, { headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('end', () => resolve(bytes));
      response.once('error', reject);
    })
      .once('error', reject)
      .end();
  });
}
