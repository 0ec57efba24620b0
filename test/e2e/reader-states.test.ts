/** The pages of readers in each state, as they look: results, leaderboard, receipt, join, and what does not exist. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, type VisitorOptions } from '../support/browser.ts';
import { createPoll, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { checkLooks } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer, startTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const makePoll = (fields: object = {}): Promise<TestPoll> =>
  createPoll(server().url, {
    question: 'Which talk was the best?',
    options: ['Postgres in a box', 'Counting at night', 'The last mile', 'Small pages'],
    ...fields,
  });

async function open(path: string, options: VisitorOptions = {}): Promise<Page> {
  const visitor = await browser.visitor(options);
  return visitor.open(`${server().url}${path}`);
}

const openResults = (poll: TestPoll): Promise<Page> => open(`/p/${poll.slug}/results`);

async function openClosed(counts: readonly number[], fields: object = {}): Promise<Page> {
  const poll = await makePoll(fields);
  await castMany(server().url, poll, counts);
  await takeStep(server().url, poll, 'close');
  const page = await openResults(poll);
  await page.getByText('Closed', { exact: true }).waitFor();
  return page;
}

async function castOne(fields: object): Promise<{ poll: TestPoll; receipt: TestReceipt }> {
  const poll = await makePoll(fields);
  const answer = await post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: 'ada' });
  return { poll, receipt: answer.json as TestReceipt }; // The shape is what the tests of the API check.
}

const scenes: Record<string, () => Promise<Page>> = {
  async 'results-live'() {
    const poll = await makePoll({ closesAt: new Date(Date.now() + 600_000).toISOString(), electorateSize: 400 });
    await castMany(server().url, poll, [140, 96, 12, 30]);
    const page = await openResults(poll);
    await page.getByText('live, updated').waitFor();
    return page;
  },
  'results-no-votes': async () => openResults(await makePoll()),
  'results-winner': () => openClosed([14, 96, 12, 30]),
  'results-tie': () => openClosed([14, 30, 12, 30]),
  'results-nobody': () => openClosed([]),
  async 'results-tables'() {
    const page = await openClosed([14, 96, 12, 30]);
    for (const summary of await page.getByText('As a table').all()) await summary.click();
    return page;
  },
  async 'results-hidden'() {
    return openResults(await makePoll({ visibility: 'after_vote' }));
  },
  async 'results-not-yet'() {
    return openResults(await makePoll({ visibility: 'after_close', draft: true }));
  },
  'results-manager-only': () => openClosed([1], { visibility: 'manager' }),
  async 'results-several'() {
    const poll = await makePoll({ selections: { min: 1, max: 3 }, color: '#7c2d92' });
    await castMany(server().url, poll, [3, 1, 0, 2]);
    return openResults(poll);
  },
  join: () => open('/join'),
  'join-unknown': () => open('/j/ZZZZZZ', { expected: [/status of 404/u] }),
  async 'receipt-counted'() {
    const { receipt } = await castOne({});
    return open(`/r/${receipt.ballotId}`);
  },
  async 'receipt-superseded'() {
    const { poll, receipt } = await castOne({ revote: 'replace' });
    await post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['2'], userId: 'ada' });
    return open(`/r/${receipt.ballotId}`);
  },
  'receipt-unknown': () => open('/r/00000000-0000-7000-8000-000000000000', { expected: [/status of 404/u] }),
  'problem-nothing-here': () => open('/nowhere', { expected: [/status of 404/u] }),
  async leaderboard() {
    const poll = await makePoll();
    await castMany(server().url, poll, [5, 200, 1, 0]);
    return open('/leaderboard');
  },
  async 'leaderboard-last-ten-minutes'() {
    const page = await open('/leaderboard');
    await page.getByRole('radio', { name: 'Last 10 minutes' }).check({ force: true });
    return page;
  },
};

test.for(Object.entries(scenes))('readers see %s as it should look', async ([name, bring]) => {
  await checkLooks(await bring(), name);
});

test('the counts stand below each other, also beside 100 %', async () => {
  const page = await openClosed([5, 0, 0, 0]);
  await page.locator('.share', { hasText: '100.0 %' }).waitFor();
  const counts = await page.locator('.bars .label .num b').all();
  const edges = await Promise.all(counts.map(async (count) => rightOf(await count.boundingBox())));
  expect(edges).toHaveLength(4);
  expect(Math.max(...edges) - Math.min(...edges)).toBeLessThan(1);
});

const rightOf = (box: { x: number; width: number } | null): number => (box?.x ?? 0) + (box?.width ?? 0);

test('every link at the top is 44 pixels wide and high', async () => {
  const poll = await makePoll();
  for (const path of ['/', '/leaderboard', `/p/${poll.slug}`, `/p/${poll.slug}/results`, `/p/${poll.slug}/manage`]) {
    const page = await open(path);
    for (const link of await page.locator('.top nav a').all()) {
      const box = await link.boundingBox();
      const size = [path, await link.textContent(), Math.min(box?.width ?? 0, box?.height ?? 0)];
      expect(size).toEqual([path, expect.any(String), expect.toSatisfy((pixels: number) => pixels >= 44)]);
    }
  }
});

test('a leaderboard without polls leads to making one', async () => {
  const empty = await startTestServer('--preset', 'none');
  const visitor = await browser.visitor();
  const page = await visitor.open(`${empty.url}/leaderboard`);
  expect(await page.getByRole('main').getByRole('link').getAttribute('href')).toBe('/');
  await checkLooks(page, 'leaderboard-empty');
});
