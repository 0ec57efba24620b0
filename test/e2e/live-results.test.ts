/** Pages that follow a poll: what they show when the server goes away and comes back, and for people who want little motion. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { shareBrowser } from '../support/browser.ts';
import { createPoll, send, type TestPoll } from '../support/http.ts';
import { checkLooks } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer, startOn, startTestServer } from '../support/server.ts';

const browser = shareBrowser();
const shared = shareTestServer('--preset', 'none');
/** What a browser says of a server that is away. */
const absence = [/ERR_CONNECTION|WebSocket connection|status of 503/u];

const votesOf = (page: Page): Promise<string[]> => page.locator('.bars li .num b').allTextContents();

test('a results page keeps its figures while the server is away, and misses no vote', async () => {
  const port = String(await findFreePort());
  const first = await startTestServer('--preset', 'none', '--port', port);
  const poll = await createPoll(first.url);
  await castMany(first.url, poll, [3, 1]);
  const visitor = await browser.visitor({ expected: absence, viewport: 'desktop' });
  const page = await visitor.open(`${first.url}/p/${poll.slug}/results`);
  await page.getByText('live, updated').waitFor();
  await first.stop();
  await page.getByText(/Reconnecting … figures from \d\d:\d\d:\d\d/u).waitFor();
  expect(await votesOf(page)).toEqual(['3', '1']);
  await checkLooks(page, 'results-stale');
  const second = await startOn(first.databaseUrl, ['--preset', 'none', '--port', port]);
  await castMany(second.url, poll, [2, 5]);
  await page.getByText('live, updated').waitFor();
  await expect.poll(() => votesOf(page)).toEqual(['5', '6']);
  await castMany(second.url, poll, [1, 0]);
  await expect.poll(() => votesOf(page)).toEqual(['6', '6']);
});

test('a presenter page keeps its figures while the server is away, and comes back by itself', async () => {
  const port = String(await findFreePort());
  const first = await startTestServer('--preset', 'none', '--port', port);
  const poll = await createPoll(first.url);
  await castMany(first.url, poll, [3, 1]);
  const visitor = await browser.visitor({ expected: absence, viewport: 'beamer' });
  const page = await visitor.open(`${first.url}/p/${poll.slug}/present`);
  await page.getByText('1 here').waitFor();
  await first.stop();
  await page.getByText('Reconnecting …').waitFor();
  await page.getByText('3 · 75').waitFor();
  await checkLooks(page, 'present-lost', ['beamer', 'tablet'], ['dark']);
  const second = await startOn(first.databaseUrl, ['--preset', 'none', '--port', port]);
  await castMany(second.url, poll, [0, 6]);
  await page.getByText('7 · 70').waitFor();
  expect(await page.getByText('Reconnecting …').count()).toBe(0);
});

test('with less motion the figures step without moving, and the last one is shown', async () => {
  const poll = await createPoll(shared().url);
  const visitor = await browser.visitor({ calm: true, viewport: 'desktop' });
  for (const path of ['/results', '/present']) {
    const page = await visitor.open(`${shared().url}/p/${poll.slug}${path}`);
    const lasting = await page.evaluate<number>(`Math.max(...[...document.querySelectorAll('*')].map((each) => {
      const { transitionDuration, animationDuration } = getComputedStyle(each);
      return Math.max(parseFloat(transitionDuration), parseFloat(animationDuration));
    }))`);
    expect([path, lasting]).toEqual([path, expect.toSatisfy((seconds: number) => seconds < 0.01)]);
  }
  const page = visitor.context.pages()[0];
  for (let round = 0; round < 5; round += 1) await castMany(shared().url, poll, [1, 0]);
  await expect.poll(() => (page === undefined ? [] : votesOf(page))).toEqual(['5', '0']);
});

test('results that show after the close appear on the page by themselves', async () => {
  const poll = await createPoll(shared().url, { visibility: 'after_close' });
  await castMany(shared().url, poll, [2, 7]);
  const visitor = await browser.visitor();
  const page = await visitor.open(`${shared().url}/p/${poll.slug}/results`);
  await page.getByText('They show when voting closes.').waitFor();
  expect(await page.content()).not.toMatch(/"votes":\s*[27]/u);
  await takeStep(shared().url, poll, 'close');
  await page.getByText('Winner:').waitFor();
  expect(await page.locator('.bars li bdi').allTextContents()).toEqual(['Coffee', 'Tea']);
});

test('a screen reader hears no figures that were hidden, and hears that voting is closed', async () => {
  const poll = await createPoll(shared().url);
  await castMany(shared().url, poll, [3, 1]);
  const visitor = await browser.visitor();
  const page = await visitor.open(`${shared().url}/p/${poll.slug}/results`);
  const spoken = page.locator('p.visually-hidden[role=status]');
  expect(await spoken.textContent()).toMatch(/^Live: 4 votes/u);
  await page.getByText('live, updated').waitFor();
  await setVisibility(poll, 'manager');
  await page.getByText('The organiser keeps them for now.').waitFor();
  expect(await spoken.textContent()).toBe('');
  await takeStep(shared().url, poll, 'close');
  await setVisibility(poll, 'always');
  await spoken.filter({ hasText: 'Voting is closed: 4 votes' }).waitFor({ state: 'attached' });
});

async function setVisibility({ id, manageKey }: TestPoll, visibility: string): Promise<void> {
  const answer = await send('PATCH', `${shared().url}/api/v1/polls/${id}`, JSON.stringify({ visibility }), {
    'content-type': 'application/json',
    'manage-key': manageKey,
  });
  expect(answer.status).toBe(200);
}

test('results that show after voting appear on the page of whoever has voted', async () => {
  const poll = await createPoll(shared().url, { electorate: 'cookie', visibility: 'after_vote' });
  const visitor = await browser.visitor();
  const page = await visitor.open(`${shared().url}/p/${poll.slug}`);
  expect(await page.locator('.bars').count()).toBe(0);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Your vote is counted').waitFor();
  await page.locator('.bars').waitFor();
  const results = await visitor.open(`${shared().url}/p/${poll.slug}/results`);
  await expect.poll(() => votesOf(results)).toEqual(['1', '0']);
});
