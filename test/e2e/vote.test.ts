import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { createPoll, type TestPoll } from '../support/http.ts';
import { takeStep, totalOf } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const addressOf = (poll: TestPoll): string => `${server().url}/p/${poll.slug}`;
const sendButton = (page: Page) => page.getByRole('button', { name: 'Vote', exact: true });

async function vote(page: Page, option: string): Promise<void> {
  await page.getByRole('radio', { name: option }).check();
  await sendButton(page).click();
}

/** The keys of the ballots that a visitor's pages have sent. */
function keysOf(requests: readonly { method(): string; url(): string; headers(): Record<string, string> }[]): string[] {
  return requests
    .filter((request) => request.method() === 'POST' && request.url().endsWith('/ballots'))
    .map((request) => request.headers()['idempotency-key'] ?? '');
}

test('a vote is cast with the keyboard alone', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', options: ['Red', 'Green', 'Blue'] });
  const voter = await browser.visitor({ viewport: 'desktop' });
  const page = await voter.open(addressOf(poll));
  const { keyboard } = page;
  await tabTo(page, page.getByRole('radio').first());
  await keyboard.press('Space');
  await keyboard.press('ArrowDown');
  expect(await page.getByRole('radio', { name: 'Green' }).isChecked()).toBe(true);
  await tabTo(page, sendButton(page));
  await keyboard.press('Enter');
  await page.getByText('Your vote is counted').waitFor();
  await page.locator('#outcome:focus').waitFor();
  await tabTo(page, page.getByRole('link', { name: 'Check it later' }));
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'This ballot is counted' }).waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('several options are chosen with the keyboard alone', async () => {
  const poll = await createPoll(server().url, {
    electorate: 'cookie',
    options: ['Red', 'Green', 'Blue'],
    selections: { min: 1, max: 2 },
  });
  const voter = await browser.visitor({ viewport: 'desktop' });
  const page = await voter.open(addressOf(poll));
  for (const name of ['Red', 'Blue']) {
    await tabTo(page, page.getByRole('checkbox', { name }));
    await page.keyboard.press('Space');
  }
  await tabTo(page, sendButton(page));
  await page.keyboard.press('Space');
  await page.getByText('Your vote is counted').waitFor();
});

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, element: ReturnType<Page['getByRole']>): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await element.and(page.locator(':focus')).count()) > 0) return;
  }
  throw new Error(`Tab does not lead to ${element.toString()}.`);
}

test('with nothing chosen the page says so, and the focus goes there', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  await sendButton(page).click();
  const alert = page.getByRole('alert');
  expect(await alert.textContent()).toBe('Choose an option first.');
  await alert.and(page.locator(':focus')).waitFor();
  expect(keysOf(voter.requests)).toEqual([]);
});

test('a vote sent while offline is kept, sent on the way back under the same key, and counted once', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/ERR_INTERNET_DISCONNECTED/u] });
  const page = await voter.open(addressOf(poll));
  await voter.context.setOffline(true);
  await vote(page, 'Coffee');
  await page.getByText('You are offline. Your choice is kept').waitFor();
  expect(await page.getByRole('radio', { name: 'Coffee' }).isChecked()).toBe(true);
  expect(await totalOf(server().url, poll)).toBe(0);
  await voter.context.setOffline(false);
  await page.getByText('Your vote is counted').waitFor();
  expect(new Set(keysOf(voter.requests)).size).toBe(1);
  expect(keysOf(voter.requests).length).toBeGreaterThan(1);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a page that was closed while offline sends its vote when it is opened again', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/ERR_INTERNET_DISCONNECTED/u] });
  const page = await voter.open(addressOf(poll));
  await voter.context.setOffline(true);
  await vote(page, 'Coffee');
  await page.getByText('You are offline. Your choice is kept').waitFor();
  await page.close();
  await voter.context.setOffline(false);
  const reopened = await voter.open(addressOf(poll));
  await reopened.getByText('Your vote is counted').waitFor();
  expect(new Set(keysOf(voter.requests)).size).toBe(1);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('an answer that was lost on its way leads to the same receipt and one vote', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/ERR_CONNECTION_RESET/u] });
  const page = await voter.open(addressOf(poll));
  let lost = 0;
  await page.route('**/ballots', async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort('connectionreset');
  });
  await vote(page, 'Tea');
  await page.getByText('Your vote is counted').waitFor();
  expect(lost).toBe(1);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('an overloaded server is asked again after the pause that it names, under the same key, and the vote counts once', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/status of 503/u] });
  const page = await voter.open(addressOf(poll));
  let refused = 0;
  await page.route('**/ballots', async (route) => {
    if (refused === 2) return route.continue();
    refused += 1;
    const problem = { code: 'ingest_log_full', recorded: 'no', title: 'Busy', detail: '', status: 503 };
    return route.fulfill({ status: 503, headers: { 'retry-after': '1' }, json: problem });
  });
  await vote(page, 'Tea');
  await page.getByText(/The server is busy\. Trying again in \d+ s\. Your choice is kept\./u).waitFor();
  await page.getByText('Your vote is counted').waitFor();
  expect(refused).toBe(2);
  expect(keysOf(voter.requests)).toHaveLength(3);
  expect(new Set(keysOf(voter.requests)).size).toBe(1);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a vote that gets no answer says after a while that it is still trying, and the choice stays', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/ballots', async (route) => {
    await answered;
    await route.continue();
  });
  await vote(page, 'Tea');
  await page.getByText('Still trying. Your choice is kept.').waitFor();
  expect(await page.getByRole('radio', { name: 'Tea' }).isChecked()).toBe(true);
  answer();
  await page.getByText('Your vote is counted').waitFor();
});

test('of two tabs the second learns that the first has voted', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/status of 409/u] });
  const [first, second] = [await voter.open(addressOf(poll)), await voter.open(addressOf(poll))];
  await second.getByRole('radio', { name: 'Coffee' }).check();
  await vote(first, 'Tea');
  await first.getByText('Your vote is counted').waitFor();
  await second.getByText('Your vote is counted').waitFor();
  expect(await first.locator('#outcome code').textContent()).toBe(await second.locator('#outcome code').textContent());
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a browser that cannot keep anything votes twice in vain, and is told when its vote was counted', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/status of 409/u] });
  await voter.context.addInitScript(
    'Object.defineProperty(window, "localStorage", { get() { throw new Error("no"); } })',
  );
  const [first, second] = [await voter.open(addressOf(poll)), await voter.open(addressOf(poll))];
  await vote(first, 'Tea');
  await first.getByText('Your vote is counted').waitFor();
  await vote(second, 'Coffee');
  await second.getByText(/You already voted, counted at \d\d:\d\d:\d\d/u).waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('a vote is changed where the poll allows it, and counts once', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', revote: 'replace' });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  await vote(page, 'Tea');
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await page.getByRole('radio', { name: 'Coffee' }).check();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await page.getByText('Your vote is counted').waitFor();
  await page.locator('.bars li', { hasText: 'Coffee' }).getByText('100.0').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('after a change that was given up the vote stands as it was, and its option is chosen', async () => {
  const poll = await createPoll(server().url, { electorate: 'declared', revote: 'replace' });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
  await vote(page, 'Tea');
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await page.getByRole('radio', { name: 'Coffee' }).check();
  await page.getByRole('link', { name: 'Keep my vote as it is' }).click();
  await page.getByText('Your vote is counted').waitFor();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  expect(await page.getByRole('radio', { name: 'Tea' }).isChecked()).toBe(true);
  await page.getByRole('link', { name: 'Keep my vote as it is' }).click();
  await page.reload();
  await page.getByText('Your vote is counted').waitFor();
  expect(new Set(keysOf(voter.requests)).size).toBe(1);
});

test('a vote that arrives after the close is told by how much it was late', async () => {
  // The page knows the closing time, and a busy machine takes its time to open it.
  const closesAt = new Date(Date.now() + 10_000).toISOString();
  const poll = await createPoll(server().url, { electorate: 'cookie', closesAt });
  const voter = await browser.visitor({ expected: [/status of 409/u] });
  const { page, learn } = await openDeaf(voter, poll);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await expect.poll(() => statusOf(poll)).toBe('closed');
  await sendButton(page).click();
  await page.getByText(/Voting closed \d+ s before your vote arrived\. It was not counted\./u).waitFor();
  expect(await totalOf(server().url, poll)).toBe(0);
  learn();
});

test('a vote that arrives after a close by hand is told that it was not counted, and by how much it was late once the page knows', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor({ expected: [/status of 409/u] });
  const { page, learn } = await openDeaf(voter, poll);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await takeStep(server().url, poll, 'close');
  await sendButton(page).click();
  await page.getByText('Voting closed before your vote arrived. It was not counted.').waitFor();
  learn();
  await page.getByText(/Voting closed \d+ s before your vote arrived\. It was not counted\./u).waitFor();
});

/** A page that hears nothing of the live stream, as behind a slow network, until `learn` is called. */
async function openDeaf(voter: Awaited<ReturnType<typeof browser.visitor>>, poll: TestPoll) {
  let learn: () => void = () => undefined;
  const mayLearn = new Promise<void>((resolve) => {
    learn = resolve;
  });
  await voter.context.routeWebSocket('**/api/v1/live', async (socket) => {
    await mayLearn;
    socket.connectToServer();
  });
  return { page: await voter.open(addressOf(poll)), learn };
}

async function statusOf(poll: TestPoll): Promise<string> {
  const response = await fetch(`${server().url}/api/v1/polls/${poll.id}`);
  return ((await response.json()) as { status: string }).status; // The shape is what the tests of the API check.
}

test('a page that waits opens by itself, and closes by itself', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', draft: true });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  await page.getByText('Voting has not begun').waitFor();
  expect(await page.getByRole('radio', { name: 'Tea' }).isDisabled()).toBe(true);
  await takeStep(server().url, poll, 'open');
  await page.getByRole('radio', { name: 'Tea' }).check();
  await takeStep(server().url, poll, 'pause');
  await page.getByText('Voting is paused').waitFor();
  expect(await page.getByRole('radio', { name: 'Tea' }).isChecked()).toBe(true);
  await takeStep(server().url, poll, 'open');
  await sendButton(page).waitFor();
  expect(await page.getByRole('radio', { name: 'Tea' }).isChecked()).toBe(true);
  await takeStep(server().url, poll, 'close');
  await page.getByText('Voting is closed').waitFor();
  expect(await page.getByRole('radio').count()).toBe(0);
});

test('a choice that was not sent is there again after a reload', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  await page.getByRole('radio', { name: 'Coffee' }).check();
  await page.reload();
  await expect.poll(() => page.getByRole('radio', { name: 'Coffee' }).isChecked()).toBe(true);
});

test('each press on a feature board counts, also presses that come quickly', async () => {
  const poll = await createPoll(server().url, { electorate: 'open', layout: 'board', options: ['Dark mode', 'CSV'] });
  const voter = await browser.visitor();
  const page = await voter.open(addressOf(poll));
  for (let press = 0; press < 5; press += 1) await page.getByRole('button', { name: 'Vote for CSV' }).click();
  await expect.poll(() => totalOf(server().url, poll)).toBe(5);
  await page.locator('.feature', { hasText: 'CSV' }).locator('.count', { hasText: '5' }).waitFor();
  await page.getByRole('radio', { name: 'Top' }).check();
  expect(await page.locator('.feature h2').allTextContents()).toEqual(['CSV', 'Dark mode']);
});
