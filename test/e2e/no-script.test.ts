import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { createPoll } from '../support/http.ts';
import { takeStep, totalOf } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();
/** Browsers log every answer that is no success. */
const refusals = [/status of (?:409|422)/u];

async function openWithoutScript(path: string) {
  const visitor = await browser.visitor({ javaScript: false, expected: refusals });
  return visitor.open(`${server().url}${path}`);
}

test('without a script a poll is made, and its manage page opens', async () => {
  const page = await openWithoutScript('/');
  await page.getByRole('textbox', { name: /question/iu }).fill('Where do we eat?');
  const options = page.getByRole('textbox', { name: /option/iu });
  await options.first().fill('Canteen');
  await options.nth(1).fill('Noodles');
  await page
    .getByRole('button', { name: /create|start/iu })
    .first()
    .click();
  await page.waitForURL(/\/p\/where-do-we-eat-\w+\/manage#/u);
  await page.getByText('Where do we eat?').first().waitFor();
});

test('without a script a vote is cast, has a receipt, and a reload casts nothing', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', question: 'Without a script?' });
  const page = await openWithoutScript(`/p/${poll.slug}`);
  await page.getByRole('radio', { name: 'Coffee' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Your vote is counted').waitFor();
  expect(new URL(page.url()).searchParams.get('ballot')).toMatch(/^[\da-f-]{36}$/u);
  await page.reload();
  await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);

  await page.getByRole('link', { name: 'Check it later' }).click();
  await page.getByRole('heading', { name: 'This ballot is counted' }).waitFor();
  expect(await page.content()).toContain('Without a script?');
});

test('without a script a second vote of the same browser is told when the first was counted', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const page = await openWithoutScript(`/p/${poll.slug}`);
  const form = await page.context().newPage();
  await form.goto(`${server().url}/p/${poll.slug}`);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Your vote is counted').waitFor();

  await form.getByRole('radio', { name: 'Coffee' }).check();
  await form.getByRole('button', { name: 'Vote', exact: true }).click();
  await form.getByText(/You already voted, counted at \d\d:\d\d:\d\d/u).waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('without a script a form with nothing chosen, and one with too much, come back with words and what was chosen', async () => {
  const single = await createPoll(server().url, { electorate: 'cookie' });
  const nothing = await openWithoutScript(`/p/${single.slug}`);
  await nothing.getByRole('button', { name: 'Vote', exact: true }).click();
  expect(await nothing.getByRole('alert').textContent()).toBe('Choose an option first.');

  const two = await createPoll(server().url, {
    electorate: 'cookie',
    options: ['Red', 'Green', 'Blue'],
    selections: { min: 1, max: 2 },
  });
  const tooMuch = await openWithoutScript(`/p/${two.slug}`);
  for (const name of ['Red', 'Green', 'Blue']) await tooMuch.getByRole('checkbox', { name }).check();
  await tooMuch.getByRole('button', { name: 'Vote', exact: true }).click();
  expect(await tooMuch.getByRole('alert').textContent()).toBe('Choose at most 2.');
  expect(await tooMuch.getByRole('checkbox', { checked: true }).count()).toBe(3);

  await tooMuch.getByRole('checkbox', { name: 'Blue' }).uncheck();
  await tooMuch.getByRole('button', { name: 'Vote', exact: true }).click();
  await tooMuch.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, two)).toBe(1);
});

test('without a script a vote after the close is told that it was not counted', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie' });
  const page = await openWithoutScript(`/p/${poll.slug}`);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await takeStep(server().url, poll, 'close');
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText(/Voting closed \d+ s before your vote arrived\. It was not counted\./u).waitFor();
  expect(await totalOf(server().url, poll)).toBe(0);
});

test('without a script a declared voter types a name, and a feature is voted for by its own button', async () => {
  const declared = await createPoll(server().url, { electorate: 'declared' });
  const page = await openWithoutScript(`/p/${declared.slug}`);
  await page.getByRole('radio', { name: 'Tea' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  expect(await page.getByRole('alert').textContent()).toBe('Say who you are first.');
  await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Your vote is counted').waitFor();

  const board = await createPoll(server().url, { electorate: 'open', layout: 'board', options: ['Dark mode', 'CSV'] });
  const features = await openWithoutScript(`/p/${board.slug}`);
  await features.getByRole('button', { name: 'Vote for CSV' }).click();
  await features.waitForURL(/\?ballot=/u);
  expect([await totalOf(server().url, declared), await totalOf(server().url, board)]).toEqual([1, 1]);
});

test('without a script a name stays in a form that comes back', async () => {
  const poll = await createPoll(server().url, {
    electorate: 'declared',
    options: ['Red', 'Green', 'Blue'],
    selections: { min: 2, max: 2 },
  });
  const page = await openWithoutScript(`/p/${poll.slug}`);
  await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
  await page.getByRole('checkbox', { name: 'Red' }).check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('Choose at least 2.').waitFor();
  expect(await page.getByRole('textbox', { name: 'Your user name' }).inputValue()).toBe('ada');
});

test.for([
  ['cookie', 'ballot'],
  ['declared', 'ballot'],
  ['cookie', 'board'],
])('without a script a vote is changed where the poll allows it: %s, %s', async ([electorate, layout]) => {
  const poll = await createPoll(server().url, { electorate, layout, revote: 'replace' });
  const page = await openWithoutScript(`/p/${poll.slug}`);
  const vote = async (option: string, button: string) => {
    if (electorate === 'declared') await page.getByRole('textbox', { name: 'Your user name' }).fill('ada');
    if (layout === 'board') return page.getByRole('button', { name: `Vote for ${option}` }).click();
    await page.getByRole('radio', { name: option }).check();
    return page.getByRole('button', { name: button, exact: true }).click();
  };
  await vote('Tea', 'Vote');
  await page.getByText('Your vote is counted').waitFor();
  const receipt = await page.locator('#outcome code').textContent();
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await page.getByRole('link', { name: 'Keep my vote as it is' }).click();
  await page.getByText('Your vote is counted').waitFor();
  expect(await page.locator('#outcome code').textContent()).toBe(receipt);
  await page.getByRole('button', { name: 'Change my vote' }).click();
  await vote('Coffee', 'Change my vote');
  await page.getByText('Your vote is counted').waitFor();
  expect(await page.locator('#outcome code').textContent()).not.toBe(receipt);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('without a script a join code leads to the vote', async () => {
  const poll = await createPoll(server().url, { electorate: 'cookie', question: 'Joined?' });
  const page = await openWithoutScript('/join');
  await page.getByRole('textbox', { name: 'Code' }).fill(poll.joinCode.toLowerCase());
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('heading', { name: 'Joined?' }).waitFor();
});
