/** The presenter page in each state, as it looks on a projector. */
import { Resvg } from '@resvg/resvg-js';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, untilStill, viewports, type Visitor } from '../support/browser.ts';
import { createPoll, get, type TestPoll } from '../support/http.ts';
import { checkLooks, screenViewports } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const makePoll = (fields: object = {}): Promise<TestPoll> =>
  createPoll(server().url, {
    question: 'Which city shall host the next meeting?',
    options: ['Lisbon', 'Ljubljana', 'Leipzig', 'Lviv'],
    listed: false,
    ...fields,
  });

/** Opens the page as the poll's manager, who may use its keys, or as anybody. */
async function present(poll: TestPoll, who: 'manager' | 'anybody' = 'anybody'): Promise<Page> {
  const visitor = await browser.visitor({ viewport: 'beamer' });
  if (who === 'manager') await becomeManager(visitor, poll);
  return visitor.open(`${server().url}/p/${poll.slug}/present`);
}

async function becomeManager({ context }: Visitor, poll: TestPoll): Promise<void> {
  const answer = await context.request.post(`${server().url}/api/v1/polls/${poll.id}/manage-session`, {
    headers: { 'manage-key': poll.manageKey },
  });
  expect(answer.status()).toBeLessThan(300);
}

/** A dark one, which could not be seen on the ground of the page itself. */
async function giveLogo({ id, manageKey }: TestPoll): Promise<void> {
  const mark =
    '<circle cx="30" cy="30" r="24" fill="#7a0018"/><path d="M70 14h100v12H70zM70 34h72v12H70z" fill="#16202e"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="360" height="120" viewBox="0 0 180 60">${mark}</svg>`;
  const answer = await fetch(`${server().url}/api/v1/polls/${id}/logo`, {
    method: 'PUT',
    body: new Uint8Array(new Resvg(svg).render().asPng()),
    headers: { 'manage-key': manageKey, 'content-type': 'image/png' },
  });
  expect(answer.status).toBe(200);
}

async function presentVotes(counts: readonly number[], fields: object = {}): Promise<Page> {
  const poll = await makePoll(fields);
  await castMany(server().url, poll, counts);
  return present(poll);
}

async function presentClosed(counts: readonly number[], fields: object = {}): Promise<Page> {
  const poll = await makePoll(fields);
  await castMany(server().url, poll, counts);
  await takeStep(server().url, poll, 'close');
  return present(poll);
}

const scenes: Record<string, () => Promise<Page>> = {
  waiting: async () => present(await makePoll({ draft: true })),
  countdown: async () => present(await makePoll({ opensAt: new Date(Date.now() + 300_000).toISOString() })),
  'no-votes-yet': async () => present(await makePoll()),
  live: () => presentVotes([240, 91, 180, 33]),
  async branded() {
    const poll = await makePoll({ color: '#7a0018' });
    await giveLogo(poll);
    await castMany(server().url, poll, [240, 91, 180, 33]);
    return present(poll);
  },
  concealed: async () => present(await makePoll({ visibility: 'after_close' })),
  async suspense() {
    const poll = await makePoll({ visibility: 'after_close' });
    await castMany(server().url, poll, [3, 2, 1, 0]);
    const page = await present(poll, 'manager');
    await page.getByText('ballots so far').waitFor();
    return page;
  },
  async locked() {
    const poll = await makePoll({ visibility: 'manager' });
    await castMany(server().url, poll, [3, 2, 1, 0]);
    await takeStep(server().url, poll, 'close');
    const page = await present(poll, 'manager');
    await page.getByRole('button', { name: 'Show the results' }).waitFor();
    return page;
  },
  async 'last-seconds'() {
    const poll = await makePoll();
    const page = await present(poll);
    await takeStep(server().url, poll, 'extend', { closesAt: new Date(Date.now() + 9_000).toISOString() });
    await page.getByRole('timer').waitFor();
    return page;
  },
  winner: () => presentClosed([240, 91, 180, 33]),
  tie: () => presentClosed([240, 91, 240, 33]),
  nobody: () => presentClosed([]),
  async join() {
    const page = await present(await makePoll());
    await page.keyboard.press('q');
    await page.getByText('Go to').waitFor();
    return page;
  },
  async help() {
    const page = await present(await makePoll());
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    return page;
  },
  paused: async () => {
    const poll = await makePoll();
    await castMany(server().url, poll, [5, 2, 1, 0]);
    await takeStep(server().url, poll, 'pause');
    return present(poll);
  },
  'twelve-options': () =>
    presentVotes([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 11, 12], {
      options: Array.from({ length: 12 }, (_, index) => `Proposal number ${index + 1} of the working group`),
    }),
};

test.for(Object.entries(scenes))('the presenter page looks right: %s', async ([state, bring]) => {
  // It is dark whatever the system says.
  await checkLooks(await bring(), `present-${state}`, screenViewports, ['dark']);
});

test('everything on the screen fits into it without scrolling', async () => {
  const page = await presentVotes([240, 91, 180, 33]);
  for (const size of screenViewports) {
    await page.setViewportSize(viewports[size]);
    await untilStill(page);
    const [height, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollHeight, document.documentElement.clientHeight]',
    );
    expect([size, height]).toEqual([size, window]);
  }
});

/** Texts that are cut off at the bottom: how far their last line reaches under the edge of their box. */
const cutTexts = `[...document.querySelectorAll('.outcome li, .rows .text')].flatMap((box) => {
  const depth = box.querySelector('bdi').getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
  return depth > 0.5 ? [box.textContent + ': ' + depth] : [];
})`;

test('letters that go below the line are not cut off', async () => {
  const options = ['Burgers', 'Gym and yoga', 'Jogging', 'Spaghetti'];
  const page = await presentClosed([24, 9, 18, 3], { options });
  await page.locator('.outcome li').getByText('Burgers').waitFor();
  for (const size of screenViewports) {
    await page.setViewportSize(viewports[size]);
    await untilStill(page);
    expect([size, await page.evaluate<string[]>(cutTexts)]).toEqual([size, []]);
  }
});

test('the code to scan takes at least a quarter of the height', async () => {
  const page = await present(await makePoll());
  for (const size of screenViewports) {
    await page.setViewportSize(viewports[size]);
    await untilStill(page);
    const box = await page.getByRole('img', { name: 'QR code' }).boundingBox();
    expect([size, (box?.height ?? 0) / viewports[size].height]).toEqual([
      size,
      expect.toSatisfy((share: number) => share >= 0.25),
    ]);
  }
});

test('the manager opens, closes and reveals with the keys', async () => {
  const poll = await makePoll({ draft: true, visibility: 'after_close' });
  const page = await present(poll, 'manager');
  await page.getByText('Voting opens soon').waitFor();
  await page.keyboard.press('Space');
  await page.getByText('ballots so far').waitFor();
  await castMany(server().url, poll, [1, 5, 2, 0]);
  await page.locator('.total .big', { hasText: '8' }).waitFor();
  await page.keyboard.press('Space');
  await page.getByText('Voting is closed. Ready for the result?').waitFor();
  await page.keyboard.press('r');
  await page.locator('.outcome', { hasText: 'Winner' }).getByText('Ljubljana').waitFor();
  expect(((await get(`${server().url}/api/v1/polls/${poll.id}`)).json as { status: string }).status).toBe('closed');
});

test('whoever holds no manage cookie opens and closes nothing', async () => {
  const poll = await makePoll();
  const page = await present(poll);
  await page.keyboard.press('Space');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  expect(((await get(`${server().url}/api/v1/polls/${poll.id}`)).json as { status: string }).status).toBe('open');
});

test('the arrow keys step through the polls and back, and Escape leaves', async () => {
  const first = await makePoll({ question: 'The first one?', listed: true });
  await makePoll({ question: 'The second one?', listed: true });
  const page = await present(first);
  await page.keyboard.press('ArrowRight');
  await page.getByRole('heading', { name: 'The second one?' }).waitFor();
  await page.keyboard.press('PageUp');
  await page.getByRole('heading', { name: 'The first one?' }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL(/\/results$/u);
});
