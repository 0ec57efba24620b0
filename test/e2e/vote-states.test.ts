/** Every state of the vote page, as it looks. What leads from one to the next is told in vote.test.ts. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, untilStill, type VisitorOptions } from '../support/browser.ts';
import { createPoll, type TestPoll } from '../support/http.ts';
import { checkLooks, findOverflow } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const lunch = {
  question: 'Where do we eat on Friday?',
  description: 'The table is for twelve, and we leave at noon.',
  options: [
    'Canteen',
    'Noodle bar',
    { text: 'Pizzeria', description: 'Ten minutes on foot' },
    'Everybody brings something',
  ],
  electorate: 'cookie',
};

const makePoll = (fields: object = {}): Promise<TestPoll> => createPoll(server().url, { ...lunch, ...fields });

async function openVote(poll: TestPoll, options: VisitorOptions = {}, prepare?: (page: Page) => Promise<unknown>) {
  const voter = await browser.visitor(options);
  if (prepare !== undefined) voter.context.on('page', (page) => void prepare(page));
  return voter.open(`${server().url}/p/${poll.slug}`);
}

async function vote(page: Page): Promise<void> {
  await page.getByRole('radio', { name: 'Noodle bar' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
}

const close = (poll: TestPoll): Promise<void> => takeStep(server().url, poll, 'close');

/** Brings a vote page into a state. */
const scenes: Record<string, () => Promise<Page>> = {
  open: async () => openVote(await makePoll({ closesAt: new Date(Date.now() + 600_000).toISOString() })),
  async chosen() {
    const page = await openVote(await makePoll());
    await page.getByRole('radio', { name: 'Pizzeria' }).check();
    return page;
  },
  async 'several-chosen'() {
    const page = await openVote(await makePoll({ selections: { min: 1, max: 3 }, revote: 'replace' }));
    for (const name of ['Canteen', 'Pizzeria']) await page.getByRole('checkbox', { name }).check();
    return page;
  },
  async 'nothing-chosen'() {
    const page = await openVote(await makePoll());
    await page.getByRole('button', { name: 'Vote', exact: true }).click();
    await page.getByRole('alert').waitFor();
    return page;
  },
  async 'too-many'() {
    const page = await openVote(await makePoll({ selections: { min: 1, max: 2 } }));
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await page.getByRole('button', { name: 'Vote', exact: true }).click();
    await page.getByText('Choose at most 2.').waitFor();
    return page;
  },
  async 'who-are-you'() {
    const page = await openVote(await makePoll({ electorate: 'declared' }));
    await vote(page);
    await page.getByText('Say who you are first.').waitFor();
    return page;
  },
  async 'not-open'() {
    return openVote(await makePoll({ draft: true }));
  },
  async countdown() {
    return openVote(await makePoll({ opensAt: new Date(Date.now() + 3_600_000).toISOString() }));
  },
  async paused() {
    const poll = await makePoll();
    await takeStep(server().url, poll, 'pause');
    return openVote(poll);
  },
  async sending() {
    const page = await openVote(await makePoll());
    await page.route('**/ballots', () => undefined);
    await vote(page);
    await page.getByText('Still trying.').waitFor();
    return page;
  },
  async overloaded() {
    const page = await openVote(await makePoll(), { expected: [/status of 503/u] });
    await page.route('**/ballots', (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '30' }, json: {} }),
    );
    await vote(page);
    await page.getByText('The server is busy.').waitFor();
    return page;
  },
  async offline() {
    const page = await openVote(await makePoll(), { expected: [/ERR_INTERNET_DISCONNECTED/u] });
    await page.context().setOffline(true);
    await vote(page);
    await page.getByText('You are offline.').waitFor();
    return page;
  },
  async counted() {
    const poll = await makePoll({ electorate: 'cookie' });
    const page = await openVote(poll);
    await vote(page);
    await page.getByText('Your vote is counted').waitFor();
    return page;
  },
  async 'counted-hidden'() {
    const page = await openVote(await makePoll({ visibility: 'after_close', revote: 'replace' }));
    await vote(page);
    await page.getByText('Your vote is counted').waitFor();
    return page;
  },
  async changing() {
    const page = await openVote(await makePoll({ revote: 'replace' }));
    await vote(page);
    await page.getByRole('button', { name: 'Change my vote' }).click();
    await page.getByRole('link', { name: 'Keep my vote as it is' }).waitFor();
    return page;
  },
  async duplicate() {
    const poll = await makePoll({ electorate: 'declared' });
    await castMany(server().url, poll, [1, 2]);
    const page = await openVote(poll, { expected: [/status of 409/u] });
    await page.getByRole('textbox', { name: 'Your user name' }).fill('voter-0');
    await vote(page);
    await page.getByText('You already voted').waitFor();
    return page;
  },
  async late() {
    const poll = await makePoll();
    const voter = await browser.visitor({ expected: [/status of 409/u] });
    await voter.context.routeWebSocket('**/api/v1/live', () => undefined);
    const page = await voter.open(`${server().url}/p/${poll.slug}`);
    await close(poll);
    await vote(page);
    await page.getByText('It was not counted.').waitFor();
    return page;
  },
  async closed() {
    const poll = await makePoll({ electorate: 'declared' });
    await castMany(server().url, poll, [12, 30, 7, 30]);
    await close(poll);
    return openVote(poll);
  },
  async 'closed-hidden'() {
    const poll = await makePoll({ visibility: 'manager' });
    await close(poll);
    return openVote(poll);
  },
  async 'options-changed'() {
    const poll = await makePoll();
    const page = await openVote(poll, { expected: [/status of 422/u] });
    await page.getByRole('radio', { name: 'Pizzeria' }).check();
    await page.route('**/ballots', (route) => route.continue({ postData: { selections: ['gone'] } }));
    await page.getByRole('button', { name: 'Vote', exact: true }).click();
    await page.getByText('The options have changed meanwhile.').waitFor();
    return page;
  },
  async colored() {
    const page = await openVote(await makePoll({ color: '#0b6b45' }));
    await page.getByRole('radio', { name: 'Pizzeria' }).check();
    return page;
  },
  async board() {
    const poll = await makePoll({ electorate: 'open', layout: 'board', question: 'What shall we build next?' });
    await castMany(server().url, poll, [12, 1_300, 0, 41]);
    const page = await openVote(poll);
    await page.getByRole('button', { name: 'Vote for Canteen' }).click();
    await page.locator('.feature .count', { hasText: '13' }).first().waitFor();
    return page;
  },
  async 'board-voted'() {
    const page = await openVote(await makePoll({ layout: 'board', electorate: 'cookie' }));
    await page.getByRole('button', { name: 'Vote for Canteen' }).click();
    await page.getByText('Your vote is counted').waitFor();
    return page;
  },
};

test.for(Object.entries(scenes))('the vote page looks right: %s', async ([state, bring]) => {
  await checkLooks(await bring(), `vote-${state}`);
});

const manyOptions = {
  options: Array.from({ length: 12 }, (_, index) => `Proposal number ${index + 1}`),
  selections: { min: 1, max: 12 },
  revote: 'replace',
};

/** How far each card with the focus reaches under the bar, going through the options with the Tab key. Pixels; below 0 is above it. */
async function tabThroughOptions(page: Page): Promise<number[]> {
  await page.evaluate('scrollTo(0, 0)');
  await page.getByRole('checkbox').first().focus();
  const depths: number[] = [];
  for (const _ of manyOptions.options) {
    await page.getByRole('checkbox').and(page.locator(':focus')).waitFor();
    await untilStill(page);
    const card = await page.locator('.option:focus-within').boundingBox();
    const bar = await page.locator('footer.send').boundingBox();
    depths.push((card?.y ?? 0) + (card?.height ?? 0) - (bar?.y ?? 0));
    await page.keyboard.press('Tab');
  }
  return depths;
}

const barScenes = (['en', 'de'] as const).flatMap((language) =>
  (['phone', 'narrow'] as const).map((viewport) => ({ language, viewport })),
);

test.for(barScenes)('the option with the focus is never behind the bar: %o', async (options) => {
  const page = await openVote(await makePoll(manyOptions), options);
  expect(Math.max(...(await tabThroughOptions(page)))).toBeLessThanOrEqual(0);
  await page.getByRole('checkbox').first().check();
  await page.locator('footer.send .button').click();
  await page.locator('#outcome .button').click();
  await page.locator('footer.send .quiet').waitFor();
  expect(Math.max(...(await tabThroughOptions(page)))).toBeLessThanOrEqual(0);
});

test.for([
  { width: 640, height: 430 },
  { width: 320, height: 256 },
])('a low window scrolls the bar along with the options: %o', async (size) => {
  const page = await openVote(await makePoll(manyOptions));
  await page.setViewportSize(size);
  const last = await page.locator('.option').last().boundingBox();
  const bar = await page.locator('footer.send').boundingBox();
  expect(bar?.y).toBeGreaterThanOrEqual((last?.y ?? 0) + (last?.height ?? 0));
  expect(await findOverflow(page)).toEqual([]);
});

test('an unknown poll has a page with a field for a join code', async () => {
  const visitor = await browser.visitor({ expected: [/status of 404/u] });
  const page = await visitor.open(`${server().url}/p/nowhere`);
  await page.getByRole('textbox', { name: 'Code' }).waitFor();
  await checkLooks(page, 'vote-unknown');
});
