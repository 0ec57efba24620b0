/** Texts of people are data: on every page that shows them, nothing of them runs. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, untilAlive, type Visitor } from '../support/browser.ts';
import { createPoll, get, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { castMany } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';
import { hostileTexts } from './hostile-texts.ts';

const server = shareTestServer('--preset', 'none', '--join-misses-per-minute-max', '1000000');
const browser = shareBrowser();

/** Whatever the texts could have left behind: what they set, and elements and addresses that no page of ours has. */
const traces = `(() => {
  const leading = new Set(['src', 'href', 'xlink:href', 'action', 'formaction', 'data', 'poster', 'srcdoc', 'background']);
  const strange = [...document.querySelectorAll('*')].filter((each) =>
    [...each.attributes].some(({ name, value }) => /^on/i.test(name) || (leading.has(name) && !/^(?:\\/(?![/\\\\])|#|https?:\\/\\/127)/.test(value))));
  const foreign = document.querySelectorAll(
    'iframe, object, embed, base, marquee, template, audio, video, math, foreignObject, script:not([src]):not(#data)');
  return [...strange, ...foreign].map((each) => each.outerHTML.slice(0, 100)).concat(window.hostile ?? []);
})()`;

async function expectNoTrace(page: Page, where: string): Promise<void> {
  expect([where, await page.evaluate(traces)]).toEqual([where, []]);
}

/** Several tabs share the work. */
async function forEachIn<Item>(
  visitor: Visitor,
  items: readonly Item[],
  visit: (page: Page, item: Item) => Promise<void>,
) {
  const waiting = [...items];
  await Promise.all(
    [1, 2, 3].map(async () => {
      const page = await visitor.context.newPage();
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await visit(page, item);
      await page.close();
    }),
  );
}

async function goTo(page: Page, path: string): Promise<void> {
  await page.goto(`${server().url}${path}`, { waitUntil: 'commit' });
  await untilAlive(page);
}

/** A poll whose options and descriptions are all the texts. */
function createPollOfAll(fields: object): Promise<TestPoll> {
  const options = hostileTexts.map((text, index) => ({ text, description: hostileTexts.at(-index) ?? null }));
  return createPoll(server().url, { options, question: hostileTexts[0], ...fields });
}

test('there are at least a hundred and fifty different texts', () => {
  expect(new Set(hostileTexts).size).toBeGreaterThanOrEqual(150);
});

test('a page that took the texts for HTML would be found out', async () => {
  const visitor = await browser.visitor({ expected: [/./u] });
  const page = await visitor.context.newPage();
  await page.setContent(hostileTexts.join('\n'), { waitUntil: 'commit' });
  await expect.poll(() => page.evaluate<string[]>(traces).then(({ length }) => length)).toBeGreaterThan(10);
  await expect.poll(() => visitor.faults.length).toBeGreaterThan(0);
});

test('texts as options and descriptions are shown as they were typed, and nothing of them runs', async () => {
  const poll = await createPollOfAll({ electorate: 'open', selections: { min: 1, max: hostileTexts.length } });
  const board = await createPollOfAll({ electorate: 'open', layout: 'board' });
  await castMany(
    server().url,
    poll,
    hostileTexts.map((_, index) => (index % 7) + 1),
  );
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.open(`${server().url}/p/${poll.slug}`);
  const shown = await page.locator('label.option bdi').allTextContents();
  expect(shown).toEqual(hostileTexts);
  await expectNoTrace(page, 'vote');
  for (const path of [
    `/p/${poll.slug}/results`,
    `/p/${poll.slug}/present`,
    `/p/${poll.slug}/manage#${poll.manageKey}`,
    `/p/${board.slug}`,
    `/embed/${poll.slug}`,
    '/leaderboard',
    '/',
  ]) {
    await goTo(page, path);
    await expectNoTrace(page, path);
  }
});

test('texts as questions run on no page of their polls', async () => {
  const visitor = await browser.visitor({ viewport: 'desktop' });
  await forEachIn(visitor, [...hostileTexts.entries()], async (page, [index, text]) => {
    const options = [text, `${text} ${index}`];
    const fields = { question: text, description: text, options, electorate: 'open' };
    const poll = await createPoll(server().url, fields);
    const ballot = await post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
    const { ballotId } = ballot.json as TestReceipt; // The shape is what the tests of the API check.
    const own = ['', '/results', '/present', `/manage#${poll.manageKey}`].map((path) => `/p/${poll.slug}${path}`);
    const paths = [...own, `/r/${ballotId}`];
    // Each page runs its script for every fifth text, and what the server sends is read for all of them.
    const path = paths[index % paths.length] ?? '/';
    await goTo(page, path);
    await expectNoTrace(page, path);
    for (const each of paths) expect([each, await page.evaluate(toReading(each))]).toEqual([each, []]);
  });
  const page = await visitor.open(`${server().url}/`);
  await expectNoTrace(page, 'home');
  await goTo(page, '/leaderboard');
  await expectNoTrace(page, 'leaderboard');
});

/** Reads a page as it comes from the server, without running it. */
function toReading(path: string): string {
  const answer = `fetch(${JSON.stringify(path)}, { headers: { accept: 'text/html' } }).then((answer) => answer.text())`;
  return `${answer}.then((html) => {
    const document = new DOMParser().parseFromString(html, 'text/html');
    for (const each of document.querySelectorAll('#page, #data')) each.dataset.known = 'true';
    return ${traces};
  })`;
}

test('texts that arrive while pages are open run on none of them', async () => {
  const poll = await createPoll(server().url, { electorate: 'open', draft: true });
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const pages: Page[] = [];
  for (const path of ['', '/results', '/present', `/manage#${poll.manageKey}`]) {
    pages.push(await visitor.open(`${server().url}/p/${poll.slug}${path}`));
  }
  await pages.at(-1)?.getByText('live, updated').waitFor();
  const headers = { 'manage-key': poll.manageKey, 'content-type': 'application/json' };
  for (const [index, text] of hostileTexts.entries()) {
    if (index % 3 !== 0) continue;
    const body = JSON.stringify({ question: `${index} ${text}`, options: [text, `${text} ${index}`] });
    await fetch(`${server().url}/api/v1/polls/${poll.id}`, { method: 'PATCH', headers, body });
    await Promise.all(
      pages.map(async (page) => {
        await page.locator('h1', { hasText: new RegExp(`^${index} `, 'u') }).waitFor();
        await expectNoTrace(page, `${page.url()} with ${text}`);
      }),
    );
  }
});

test('texts in addresses run nowhere', async () => {
  const poll = await createPoll(server().url, { electorate: 'open' });
  const visitor = await browser.visitor({ expected: [/status of 404/u] });
  await forEachIn(visitor, hostileTexts, async (page, text) => {
    const part = encodeURIComponent(text);
    // Browsers resolve a part of dots themselves.
    for (const path of [`/j/${part}`, `/r/${part}`]) {
      await goTo(page, path);
      await expectNoTrace(page, path);
    }
    for (const path of [
      `/p/${part}`,
      `/p/${part}/results`,
      `/embed/${part}`,
      `/join?code=${part}`,
      `/p/${poll.slug}?ballot=${part}&lang=${part}`,
      `/${part}`,
    ]) {
      const answer = await get(`${server().url}${path}`, { accept: 'text/html' });
      expect([path, answer.status]).toEqual([path, expect.toSatisfy((status: number) => status < 500)]);
      expect([path, answer.text.includes(text) && /[<>]/u.test(text)]).toEqual([path, false]);
    }
  });
});
