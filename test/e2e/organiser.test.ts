/** The pages of an organiser: making a poll, and having it at hand. What each does, and how it looks. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, untilStill, viewports } from '../support/browser.ts';
import { createPoll, get, send, type TestPoll } from '../support/http.ts';
import { checkLooks } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer, startTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

type ShownPoll = {
  question: string;
  status: string;
  visibility: string;
  options: { text: string }[];
  closesAt: string | null;
};

async function readPoll(name: string): Promise<ShownPoll> {
  return (await get(`${server().url}/api/v1/polls/${name}`)).json as ShownPoll; // The shape is what the tests of the API check.
}

async function openHome(): Promise<Page> {
  const visitor = await browser.visitor({ viewport: 'desktop' });
  return visitor.open(`${server().url}/`);
}

const makePoll = (fields: object = {}): Promise<TestPoll> =>
  createPoll(server().url, { question: 'Which logo?', options: ['Cross', 'Ballot box', 'Hand'], ...fields });

async function openManage(poll: TestPoll): Promise<Page> {
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey}`);
  await page.getByRole('heading', { name: 'Voting' }).waitFor();
  await page.getByText('live, updated').waitFor();
  return page;
}

/** What the browser does when lines are pasted from the clipboard, which tests cannot fill. */
const pasteLines = `{
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', 'Three\\nFour\\n\\nFive');
  const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(paste);
}`;

test('Enter leads to the next option, pasted lines become options, and Backspace takes an empty one away', async () => {
  const page = await openHome();
  const option = (number: number) => page.getByRole('textbox', { name: `Option ${number}`, exact: true });
  await page.getByRole('textbox', { name: 'Question' }).fill('Typed on a keyboard?');
  await option(1).fill('One');
  await option(1).press('Enter');
  await option(2).and(page.locator(':focus')).waitFor();
  await page.keyboard.type('Two');
  await option(2).press('Enter');
  await option(3).focus();
  await page.evaluate(pasteLines);
  await option(6).waitFor();
  expect(await page.getByRole('textbox', { name: /^Option \d/u }).count()).toBe(6);
  await option(6).press('Backspace');
  await option(5).and(page.locator(':focus')).waitFor();
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.waitForURL(/\/manage#/u);
  const made = await readPoll(/\/p\/([^/]+)\//u.exec(page.url())?.[1] ?? '');
  expect(made.options.map(({ text }) => text)).toEqual(['One', 'Two', 'Three', 'Four', 'Five']);
});

test('a sentence sums up what the form means, and that is what is made', async () => {
  const page = await openHome();
  await page.getByRole('radio', { name: 'Yes / No' }).check({ force: true });
  await page.getByRole('textbox', { name: 'Question' }).fill('Shall we?');
  await page.getByText('Who can vote, when, and what they see').click();
  await page.getByLabel('What voters see').first().selectOption({ label: 'Results after the close' });
  await page.getByLabel('Closes').first().selectOption({ label: 'in 15 minutes' });
  await page.getByText(/one vote per browser, open at once, closes .*, results after the close\./u).waitFor();
  await checkLooks(page, 'home-terms');
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.waitForURL(/\/manage#/u);
  const made = await readPoll(/\/p\/([^/]+)\//u.exec(page.url())?.[1] ?? '');
  expect(made).toMatchObject({ visibility: 'after_close', options: [{ text: 'Yes' }, { text: 'No' }] });
  expect(made.closesAt).not.toBeNull();
});

test('a form that describes no poll says so and keeps what was typed', async () => {
  const page = await openHome();
  await page.getByRole('textbox', { name: 'Question' }).fill('Only one?');
  await page.getByRole('textbox', { name: 'Option 1' }).fill('Yes');
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.getByText('It takes a question and at least two different options.').waitFor();
  expect(await page.getByRole('textbox', { name: 'Question' }).inputValue()).toBe('Only one?');
  await page.getByRole('textbox', { name: 'Option 2' }).fill('Yes');
  await page.getByText('This option is there already.').waitFor();
  await checkLooks(page, 'home-refused');
});

test('the home page looks right with nothing open and with much', async () => {
  const empty = await startTestServer('--preset', 'none');
  const visitor = await browser.visitor();
  await checkLooks(await visitor.open(`${empty.url}/`), 'home-empty');
  for (const [index, fields] of [
    {},
    { visibility: 'after_close' },
    { closesAt: inMinutes(90) },
    { opensAt: inMinutes(30) },
  ].entries()) {
    const poll = await createPoll(empty.url, { question: `Question number ${index + 1} of the day?`, ...fields });
    if (!('opensAt' in fields)) await castMany(empty.url, poll, [12 * index, 3]);
  }
  await checkLooks(await visitor.open(`${empty.url}/`), 'home-open-polls');
});

function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

test('a server with a create key asks for it', async () => {
  const guarded = await startTestServer('--preset', 'none', '--create-key', 'a-key-for-organisers');
  const visitor = await browser.visitor({ expected: [/status of 401/u] });
  const page = await visitor.open(`${guarded.url}/`);
  await page.getByRole('textbox', { name: 'Question' }).fill('Guarded?');
  await page.getByRole('textbox', { name: 'Option 1' }).fill('Yes');
  await page.getByRole('textbox', { name: 'Option 2' }).fill('No');
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.getByText('This server takes new votes only with its create key.').waitFor();
  await checkLooks(page, 'home-create-key');
  await page.getByLabel('Create key of this server').fill('a-key-for-organisers');
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.waitForURL(/\/manage#/u);
});

const scenes: Record<string, () => Promise<Page>> = {
  async open() {
    const poll = await makePoll({ electorate: 'open' });
    const page = await openManage(poll);
    await castMany(server().url, poll, [8, 21, 3]);
    await page.locator('.totals').getByText('32', { exact: true }).first().waitFor();
    return page;
  },
  draft: async () => openManage(await makePoll({ draft: true })),
  async paused() {
    const poll = await makePoll();
    await takeStep(server().url, poll, 'pause');
    return openManage(poll);
  },
  async closing() {
    const page = await openManage(await makePoll({ closesAt: inMinutes(10) }));
    await page.getByRole('button', { name: 'Close voting' }).click();
    return page;
  },
  async closed() {
    const poll = await makePoll();
    await castMany(server().url, poll, [8, 21, 3]);
    await takeStep(server().url, poll, 'close');
    return openManage(poll);
  },
  async unfolded() {
    const page = await openManage(await makePoll({ embedParents: ['https://example.org'] }));
    for (const summary of await page.locator('summary').all()) await summary.click();
    return page;
  },
  async locked() {
    const poll = await makePoll();
    const visitor = await browser.visitor();
    return visitor.open(`${server().url}/p/${poll.slug}/manage`);
  },
  async 'wrong-key'() {
    const poll = await makePoll();
    const visitor = await browser.visitor({ expected: [/status of 40[13]/u] });
    const page = await visitor.open(`${server().url}/p/${poll.slug}/manage`);
    await page.getByLabel('Manage link or key').fill('no key at all');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('alert').waitFor();
    return page;
  },
};

test.for(Object.entries(scenes))('the manage page looks right: %s', async ([state, bring]) => {
  await checkLooks(await bring(), `manage-${state}`);
});

test('the manage page opens, pauses, extends, hides, closes and opens again', async () => {
  const poll = await makePoll({ draft: true });
  const page = await openManage(poll);
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  await press('Open voting');
  await page.getByText('Voting is open.').waitFor();
  await press('+5 minutes');
  await page.getByText('The closing time is moved.').waitFor();
  expect((await readPoll(poll.slug)).closesAt).not.toBeNull();
  await press('Pause');
  await page.getByText('Voting is paused.').waitFor();
  await press('Go on');
  await press('Hide the results');
  await page.getByText('Done: results for you alone.').waitFor();
  expect(await readPoll(poll.slug)).toMatchObject({ status: 'open', visibility: 'manager' });
  await press('Close voting');
  await press('Close now');
  await page.getByText('Voting is closed.').waitFor();
  await press('Open again');
  await page.getByText('Voting is open again.').waitFor();
  expect((await readPoll(poll.slug)).status).toBe('open');
});

async function openTerms(poll: TestPoll): Promise<Page> {
  const page = await openManage(poll);
  await page.getByText('Text and terms', { exact: true }).click();
  return page;
}

test('what is being typed stays when the poll changes, and the fields that nobody touched follow the poll', async () => {
  const poll = await makePoll();
  const page = await openTerms(poll);
  const question = page.getByRole('textbox', { name: 'Question' });
  await question.fill('Which logo, then?');
  await page.getByRole('button', { name: '+5 minutes' }).click();
  await page.getByText('The closing time is moved.').waitFor();
  await takeStep(server().url, poll, 'pause');
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  const elsewhere = { question: 'Whose logo?', description: 'For the flag' };
  const edited = await send('PATCH', `${server().url}/api/v1/polls/${poll.id}`, JSON.stringify(elsewhere), {
    'content-type': 'application/json',
    'manage-key': poll.manageKey,
  });
  expect(edited.status).toBe(200);
  await page.getByRole('heading', { name: 'Whose logo?' }).waitFor();
  expect(await page.getByRole('textbox', { name: 'A line of explanation' }).inputValue()).toBe('For the flag');
  expect(await question.inputValue()).toBe('Which logo, then?');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The changes are saved.').waitFor();
  expect(await readPoll(poll.slug)).toMatchObject({ question: 'Which logo, then?', description: 'For the flag' });
});

test('a phone shows beside the button that the changes are saved, and the focus stays on it', async () => {
  const page = await openTerms(await makePoll());
  await page.setViewportSize(viewports.phone);
  await page.getByRole('textbox', { name: 'Question' }).fill('Saved from a phone?');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The changes are saved.').waitFor();
  await untilStill(page);
  const box = await page.getByText('The changes are saved.').boundingBox();
  expect(box?.y).toBeGreaterThanOrEqual(0);
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(viewports.phone.height);
  expect(await page.getByRole('button', { name: 'Save' }).and(page.locator(':focus')).count()).toBe(1);
});

test('closing takes the focus to its question and then to the heading of the steps', async () => {
  const page = await openManage(await makePoll());
  const focused = page.locator(':focus');
  await page.getByRole('button', { name: 'Close voting' }).press('Enter');
  await page.getByText('Closing is final').and(focused).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Close now' }).and(focused).press('Enter');
  await page.getByText('Voting is closed.').waitFor();
  await page.getByRole('heading', { name: 'Voting' }).and(focused).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Open again' }).and(focused).waitFor();
});

test('a poll is deleted only by typing its question, and is gone from everywhere', async () => {
  const poll = await makePoll({ question: 'Delete me?' });
  const visitor = await browser.visitor({ viewport: 'desktop', expected: [/status of 404/u] });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey}`);
  await page.getByText('Export, copy, delete').click();
  const remove = page.getByRole('button', { name: 'Delete for good' });
  expect(await remove.isDisabled()).toBe(true);
  await page.getByRole('textbox', { name: /^Everything of it goes/u }).fill('Delete me?');
  await remove.click();
  await page.waitForURL(`${server().url}/`);
  expect((await get(`${server().url}/api/v1/polls/${poll.id}`)).status).toBe(404);
  await page.goto(`${server().url}/p/${poll.slug}`);
  await page.getByRole('heading', { name: 'There is no such vote' }).waitFor();
});

test('a copy of a poll opens in the form with its question and options', async () => {
  const page = await openManage(await makePoll({ question: 'Copied?' }));
  await page.getByText('Export, copy, delete').click();
  await page.getByRole('button', { name: 'Duplicate as new' }).click();
  await expect.poll(() => page.getByRole('textbox', { name: 'Question' }).inputValue()).toBe('Copied?');
  expect(await page.getByRole('textbox', { name: 'Option 2' }).inputValue()).toBe('Ballot box');
});
