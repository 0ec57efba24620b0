/** The pages where a broker stands between a vote and its count: what a voter sees meanwhile, and what it turns into. */
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { shareBrowser, takePicture, type Visitor, type VisitorOptions } from '../support/browser.ts';
import { createPoll, get, post, type TestPoll } from '../support/http.ts';
import { checkLooks, findOverflow } from '../support/page-looks.ts';
import { takeStep, totalOf } from '../support/polls.ts';
import { createDatabase, shareServer, startOn, type TestServer } from '../support/server.ts';

const browser = shareBrowser();
/** Browsers log every answer that is no success. */
const refusals = [/status of 409/u];
const wait = { timeout: 30_000, interval: 50 };

const toEnvironment = () => ({
  REDIS_URL: inject('redisUrls')[0],
  REDIS_STREAM: `pages_${randomBytes(6).toString('hex')}`,
});
const flagsOf = (records: boolean): string[] => ['--preset', 'none', '--queue', 'redis', `--worker=${records}`];

/** Here nothing is ever counted. */
const idle = shareServer(flagsOf(false), toEnvironment());

type Queued = { readonly server: TestServer; startWorker(): Promise<TestServer> };

/** A server of the test's own, whose ballots are counted once a worker is started. */
async function startQueued(): Promise<Queued> {
  const databaseUrl = await createDatabase();
  const environment = toEnvironment();
  const server = await startOn(databaseUrl, flagsOf(false), environment);
  return { server, startWorker: () => startOn(databaseUrl, flagsOf(true), environment) };
}

const lunch = {
  question: 'Where do we eat on Friday?',
  options: ['Canteen', 'Noodle bar', 'Pizzeria'],
  electorate: 'cookie',
};

function makePoll({ url }: TestServer, fields: object = {}): Promise<TestPoll> {
  return createPoll(url, { ...lunch, ...fields });
}

async function openVote({ url }: TestServer, { slug }: TestPoll, options: VisitorOptions = {}) {
  const voter = await browser.visitor(options);
  return { voter, page: await voter.open(`${url}/p/${slug}`) };
}

async function vote(page: Page, option = 'Noodle bar'): Promise<void> {
  await page.getByRole('radio', { name: option }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
}

const press = (page: Page, option: string): Promise<void> =>
  page.getByRole('button', { name: `Vote for ${option}` }).click();
const seeReceived = (page: Page): Promise<void> => page.getByText('Your vote is received').waitFor();
const seeCounted = (page: Page): Promise<void> => page.getByText('Your vote is counted').waitFor();
const codeOn = (page: Page): Promise<string | null> => page.locator('#outcome code').textContent();

/** How many ballots the visitor's pages have sent. */
const sentBallots = ({ requests }: Visitor) =>
  requests.filter((request) => request.method() === 'POST' && request.url().endsWith('/ballots'));
const sentCount = (visitor: Visitor): number => sentBallots(visitor).length;
const sentKeys = (visitor: Visitor): ReadonlySet<string | undefined> =>
  new Set(sentBallots(visitor).map((request) => request.headers()['idempotency-key']));

async function castAs({ url }: TestServer, { id }: TestPoll, userId: string): Promise<string> {
  const answer = await post(`${url}/api/v1/polls/${id}/ballots`, { selections: ['1'], userId });
  return (answer.json as { ballotId: string }).ballotId; // The shape is what the tests of the API check.
}

/** The tally follows the ledger at a little distance. */
async function untilTotal({ url }: TestServer, poll: TestPoll, total: number): Promise<void> {
  await expect.poll(() => totalOf(url, poll), wait).toBe(total);
}

async function untilEnded({ url }: TestServer, ballotId: string): Promise<void> {
  const read = async (): Promise<unknown> => (await get(`${url}/api/v1/ballots/${ballotId}`)).json;
  await expect.poll(read, wait).toMatchObject({ processing: expect.stringMatching(/^(?:processed|failed)$/u) });
}

/** Brings a page into a state that lasts as long as nobody counts. */
const waiting: Record<string, () => Promise<Page>> = {
  async 'vote-received'() {
    const { page } = await openVote(idle(), await makePoll(idle()));
    await vote(page);
    await seeReceived(page);
    return page;
  },
  async 'vote-received-hidden-german'() {
    const poll = await makePoll(idle(), { visibility: 'after_close', revote: 'replace' });
    const { page } = await openVote(idle(), poll, { language: 'de' });
    await page.getByRole('radio', { name: 'Pizzeria' }).check();
    await page.getByRole('button', { name: 'Abstimmen' }).click();
    await page.getByText('Die Stimme ist eingegangen').waitFor();
    return page;
  },
  async 'vote-received-closing'() {
    const poll = await makePoll(idle());
    const { page } = await openVote(idle(), poll);
    await vote(page);
    await seeReceived(page);
    await takeStep(idle().url, poll, 'close');
    await page.getByText('The last ballots are being counted.').waitFor();
    return page;
  },
  async 'vote-received-board'() {
    const { page } = await openVote(idle(), await makePoll(idle(), { layout: 'board' }));
    await press(page, 'Canteen');
    await seeReceived(page);
    return page;
  },
  async 'vote-received-board-open'() {
    const { page } = await openVote(idle(), await makePoll(idle(), { layout: 'board', electorate: 'open' }));
    for (const option of ['Canteen', 'Canteen', 'Pizzeria']) await press(page, option);
    await page.getByText('2 votes received and being counted').waitFor();
    await page.getByText('1 vote received and being counted').waitFor();
    return page;
  },
  async 'receipt-received'() {
    const ballotId = await castAs(idle(), await makePoll(idle(), { electorate: 'declared' }), 'ada');
    const visitor = await browser.visitor();
    const page = await visitor.open(`${idle().url}/r/${ballotId}`);
    await page.getByRole('heading', { name: 'This ballot is received' }).waitFor();
    return page;
  },
};

test.for(Object.entries(waiting))('a page looks right while nobody counts: %s', async ([state, bring]) => {
  await checkLooks(await bring(), state, ['narrow', 'phone', 'tablet']);
});

test.for(['light', 'dark'] as const)('a page without a script looks right while nobody counts: %s', async (theme) => {
  const poll = await makePoll(idle());
  const { page } = await openVote(idle(), poll, { javaScript: false, theme });
  await vote(page);
  await page.getByRole('link', { name: 'See whether it is counted' }).waitFor();
  expect(await findOverflow(page)).toEqual([]);
  await takePicture(page, `vote-received-without-script-phone-${theme}`);
});

test('a vote is received, then counted: with the same receipt, sent once, and a reload between goes on asking', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { voter, page } = await openVote(server, poll);
  await vote(page);
  await seeReceived(page);
  await page.locator('#outcome:focus').waitFor();
  const code = await codeOn(page);
  await page.reload();
  await seeReceived(page);
  expect(await codeOn(page)).toBe(code);
  expect(await totalOf(server.url, poll)).toBe(0);
  await startWorker();
  await seeCounted(page);
  await page.getByText(/Counted at \d\d:\d\d:\d\d\./u).waitFor();
  expect(await codeOn(page)).toBe(code);
  await page.locator('.bars li', { hasText: 'Noodle bar' }).getByText('100.0').waitFor();
  expect(sentCount(voter)).toBe(1);
  await page.reload();
  await seeCounted(page);
  await untilTotal(server, poll, 1);
  expect(sentCount(voter)).toBe(1);
});

test('where a worker is quick, a vote is counted at once, and a second one refused at once', async () => {
  const { server, startWorker } = await startQueued();
  await startWorker();
  const poll = await makePoll(server, { electorate: 'declared' });
  for (const [text, expected] of [
    ['Your vote is counted', []],
    ['You already voted.', refusals],
  ] as const) {
    const { page } = await openVote(server, poll, { expected });
    await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
    await vote(page);
    await page.getByText(text).waitFor();
  }
  await untilTotal(server, poll, 1);
});

test('a second vote of the same declared voter is received, and ends as already voted', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server, { electorate: 'declared' });
  await castAs(server, poll, 'ada');
  const { page } = await openVote(server, poll);
  await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
  await vote(page);
  await seeReceived(page);
  await startWorker();
  await page.getByText('You already voted.').waitFor();
  await untilTotal(server, poll, 1);
  await checkLooks(page, 'vote-received-duplicate', ['phone']);
});

test('a vote that is changed is received once more, and the last one counts', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server, { revote: 'replace' });
  const worker = await startWorker();
  const { page } = await openVote(server, poll);
  await vote(page, 'Canteen');
  await seeCounted(page);
  await worker.stop();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await page.getByRole('radio', { name: 'Pizzeria' }).check();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await seeReceived(page);
  await startWorker();
  await seeCounted(page);
  await page.locator('.bars li', { hasText: 'Pizzeria' }).getByText('100.0').waitFor();
  await untilTotal(server, poll, 1);
});

test('what was received before the close counts after it', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { page } = await openVote(server, poll);
  await vote(page);
  await seeReceived(page);
  await takeStep(server.url, poll, 'close');
  await page.getByText('The last ballots are being counted.').waitFor();
  await startWorker();
  await seeCounted(page);
  await page.getByText('The last ballots are being counted.').waitFor({ state: 'detached' });
  await untilTotal(server, poll, 1);
});

test('a page that was offline while its vote was counted learns of it when it is back', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { voter, page } = await openVote(server, poll, { expected: [/ERR_INTERNET_DISCONNECTED/u] });
  await vote(page);
  await seeReceived(page);
  await voter.context.setOffline(true);
  await startWorker();
  await untilTotal(server, poll, 1);
  await seeReceived(page);
  await voter.context.setOffline(false);
  await seeCounted(page);
  expect(sentCount(voter)).toBe(1);
});

test('of two tabs the second learns that the first has voted, and both that the vote counts', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { voter, page: first } = await openVote(server, poll);
  const second = await voter.open(`${server.url}/p/${poll.slug}`);
  await vote(first);
  await seeReceived(second);
  expect(await codeOn(second)).toBe(await codeOn(first));
  await startWorker();
  await seeCounted(first);
  await seeCounted(second);
  await untilTotal(server, poll, 1);
  // The second may send it, too, lest the first is closed before it has an answer; it does so under the same key.
  expect(sentKeys(voter).size).toBe(1);
});

test('without a script a vote is received, and a link says that it is counted', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { page } = await openVote(server, poll, { javaScript: false });
  await vote(page);
  await seeReceived(page);
  const code = await codeOn(page);
  const link = page.getByRole('link', { name: 'See whether it is counted' });
  await link.click();
  await seeReceived(page);
  await startWorker();
  await untilTotal(server, poll, 1);
  await link.click();
  await seeCounted(page);
  expect(await codeOn(page)).toBe(code);
});

test('without a script a second vote is received, and the link says which one counts', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server);
  const { voter, page } = await openVote(server, poll, { javaScript: false });
  const other = await voter.open(`${server.url}/p/${poll.slug}`);
  await vote(page, 'Canteen');
  await seeReceived(page);
  const code = await codeOn(page);
  await vote(other, 'Pizzeria');
  await seeReceived(other);
  await startWorker();
  await untilEnded(server, new URL(other.url()).searchParams.get('ballot') ?? '');
  await other.getByRole('link', { name: 'See whether it is counted' }).click();
  await other.getByText(/You already voted, counted at \d\d:\d\d:\d\d/u).waitFor();
  expect(await codeOn(other)).toBe(code);
  await untilTotal(server, poll, 1);
});

test('presses on a board are received, and counted one after the other', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server, { layout: 'board', electorate: 'open' });
  const { page } = await openVote(server, poll);
  for (const option of ['Canteen', 'Canteen', 'Pizzeria']) await press(page, option);
  await page.getByText('2 votes received and being counted').waitFor();
  await startWorker();
  const canteen = page.locator('.feature', { hasText: 'Canteen' });
  await canteen.locator('.sent', { hasText: /^\+2\s*$/u }).waitFor();
  await canteen.locator('.count', { hasText: '2' }).waitFor();
  await untilTotal(server, poll, 3);
});

test('the one vote on a board is received, and still is after a reload, until it is counted', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server, { layout: 'board' });
  const { voter, page } = await openVote(server, poll);
  await press(page, 'Canteen');
  await seeReceived(page);
  await page.reload();
  await seeReceived(page);
  expect(await page.getByRole('button', { name: 'Vote for Pizzeria' }).isDisabled()).toBe(true);
  await startWorker();
  await seeCounted(page);
  await untilTotal(server, poll, 1);
  expect(sentCount(voter)).toBe(1);
});

test('a receipt page turns from received into counted by itself, and one of a second vote says why it was not', async () => {
  const { server, startWorker } = await startQueued();
  const poll = await makePoll(server, { electorate: 'declared' });
  const visitor = await browser.visitor();
  const pages: Page[] = [];
  for (const ballotId of [await castAs(server, poll, 'ada'), await castAs(server, poll, 'ada')]) {
    pages.push(await visitor.open(`${server.url}/r/${ballotId}`));
  }
  const [first, second] = pages as [Page, Page]; // Two receipts, two pages.
  await first.getByRole('heading', { name: 'This ballot is received' }).waitFor();
  await startWorker();
  await first.getByRole('heading', { name: 'This ballot is counted' }).waitFor();
  await first.getByText('Where do we eat on Friday?').waitFor();
  await second.getByText('Its voter had voted before').waitFor();
  await second.getByText('Where do we eat on Friday?').waitFor();
  await second.reload();
  await second.getByText('Its voter had voted before').waitFor();
  await checkLooks(second, 'receipt-failed', ['phone']);
});
