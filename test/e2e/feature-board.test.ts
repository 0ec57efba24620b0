/** A feature board in a browser: what each press does, and that the page says what became of it. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, type VisitorOptions } from '../support/browser.ts';
import { createPoll, type TestPoll } from '../support/http.ts';
import { checkLooks } from '../support/page-looks.ts';
import { takeStep, totalOf } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const makeBoard = (fields: object): Promise<TestPoll> =>
  createPoll(server().url, { layout: 'board', options: ['Dark mode', 'CSV'], ...fields });
const addressOf = (poll: TestPoll): string => `${server().url}/p/${poll.slug}`;
const voteButton = (page: Page, option: string) => page.getByRole('button', { name: `Vote for ${option}` });

async function openBoard(poll: TestPoll, options: VisitorOptions = {}): Promise<Page> {
  const visitor = await browser.visitor(options);
  return visitor.open(addressOf(poll));
}

/** Holds back every ballot of the page until `release` is called. */
async function holdBallots(page: Page): Promise<{ release(): void; readonly heldCount: () => number }> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let held = 0;
  await page.context().route('**/ballots', async (route) => {
    held += 1;
    await released;
    await route.continue();
  });
  return { release: () => release(), heldCount: () => held };
}

test('a double click in a fresh browser is one vote, which is counted', async () => {
  const poll = await makeBoard({ electorate: 'cookie' });
  const page = await openBoard(poll);
  await voteButton(page, 'CSV').dblclick();
  await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('two clicks of one moment on two features are one vote', async () => {
  const poll = await makeBoard({ electorate: 'cookie' });
  const page = await openBoard(poll);
  await page.evaluate('for (const button of document.querySelectorAll(".feature button")) button.click()');
  await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('while a vote is on its way no other one is sent, and the page says that it still tries', async () => {
  const poll = await makeBoard({ electorate: 'cookie' });
  const page = await openBoard(poll);
  const { release, heldCount } = await holdBallots(page);
  await voteButton(page, 'CSV').click();
  await expect.poll(heldCount).toBe(1);
  expect(await voteButton(page, 'Dark mode').getAttribute('aria-disabled')).toBe('true');
  await voteButton(page, 'Dark mode').click({ force: true });
  await page.getByText('Still trying.').waitFor();
  await checkLooks(page, 'board-sending');
  release();
  await page.getByText('Your vote is counted').waitFor();
  expect([heldCount(), await totalOf(server().url, poll)]).toEqual([1, 1]);
  expect(await voteButton(page, 'Dark mode').isDisabled()).toBe(true);
});

test.for(['board', 'ballot'])('two tabs of a fresh browser that vote together have one vote: %s', async (layout) => {
  const poll = await makeBoard({ electorate: 'cookie', layout });
  const visitor = await browser.visitor();
  const [first, second] = [await visitor.open(addressOf(poll)), await visitor.open(addressOf(poll))];
  const { release, heldCount } = await holdBallots(first);
  if (layout === 'board') await voteButton(first, 'CSV').click();
  else {
    await first.getByRole('radio', { name: 'CSV' }).check();
    await first.getByRole('button', { name: 'Vote', exact: true }).click();
  }
  // The second sends the same ballot under the same key.
  await expect.poll(heldCount).toBe(2);
  release();
  for (const page of [first, second]) await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a browser that has voted elsewhere with its cookie and clicks twice reads that its vote is counted', async () => {
  const earlier = await makeBoard({ electorate: 'cookie' });
  const visitor = await browser.visitor();
  const before = await visitor.open(addressOf(earlier));
  await voteButton(before, 'CSV').click();
  await before.getByText('Your vote is counted').waitFor();
  const poll = await makeBoard({ electorate: 'cookie' });
  const page = await visitor.open(addressOf(poll));
  await voteButton(page, 'CSV').dblclick();
  await page.getByText('Your vote is counted').waitFor();
  expect(await page.getByText('You already voted').count()).toBe(0);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test.for(['cookie', 'open'])(
  'a press while offline says so and counts once on the way back: %s',
  async (electorate) => {
    const poll = await makeBoard({ electorate });
    const page = await openBoard(poll, { expected: [/ERR_INTERNET_DISCONNECTED/u] });
    await page.context().setOffline(true);
    await voteButton(page, 'CSV').click();
    await page.getByText('You are offline.').waitFor();
    expect(await totalOf(server().url, poll)).toBe(0);
    await page.context().setOffline(false);
    await page.locator('.feature', { hasText: 'CSV' }).getByText('+1').waitFor();
    await page.getByText('You are offline.').waitFor({ state: 'detached' });
    expect(await totalOf(server().url, poll)).toBe(1);
  },
);

test.for(['cookie', 'open'])('a press after the close is told that it was not counted: %s', async (electorate) => {
  const poll = await makeBoard({ electorate });
  const visitor = await browser.visitor({ expected: [/status of 409/u] });
  let learn: () => void = () => undefined;
  const mayLearn = new Promise<void>((resolve) => {
    learn = resolve;
  });
  await visitor.context.routeWebSocket('**/api/v1/live', async (socket) => {
    await mayLearn;
    socket.connectToServer();
  });
  const page = await visitor.open(addressOf(poll));
  await takeStep(server().url, poll, 'close');
  await voteButton(page, 'CSV').click();
  await page.getByText('Voting closed before your vote arrived. It was not counted.').waitFor();
  learn();
  await page.getByText(/Voting closed \d+ s before your vote arrived\. It was not counted\./u).waitFor();
});

test('a vote on a board is changed where the poll allows it, or kept as it is', async () => {
  const poll = await makeBoard({ electorate: 'cookie', revote: 'replace' });
  const page = await openBoard(poll);
  await voteButton(page, 'CSV').click();
  await page.getByText('Your vote is counted').waitFor();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await checkLooks(page, 'board-changing');
  await page.getByRole('link', { name: 'Keep my vote as it is' }).click();
  await page.getByText('Your vote is counted').waitFor();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await voteButton(page, 'Dark mode').click();
  await page.getByText('Your vote is counted').waitFor();
  await page.locator('.feature', { hasText: 'Dark mode' }).locator('.count', { hasText: '1' }).waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a board that asks for a name says so before anything is sent', async () => {
  const poll = await makeBoard({ electorate: 'declared' });
  const page = await openBoard(poll);
  await voteButton(page, 'CSV').click();
  await page.getByRole('alert').and(page.locator(':focus')).waitFor();
  expect(await page.getByRole('alert').textContent()).toBe('Say who you are first.');
  await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
  await voteButton(page, 'CSV').click();
  await page.getByText('Your vote is counted').waitFor();
});
