/** What Hustings is for, from the first page to the winner. */
import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { checkLooks } from '../support/page-looks.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

test('a poll is made, voted on from phones, seen to move on two screens, closed, and has a winner', async () => {
  const organiser = await browser.visitor({ viewport: 'desktop' });
  const home = await organiser.open(`${server().url}/`);
  await home.getByRole('textbox', { name: 'Question' }).fill('Where do we meet next year?');
  for (const [index, text] of ['Lisbon', 'Ljubljana', 'Leipzig'].entries()) {
    await home.getByRole('textbox', { name: `Option ${index + 1}` }).fill(text);
  }
  await home.getByRole('button', { name: 'Create the vote' }).click();
  await home.waitForURL(/\/p\/where-do-we-meet-next-year-\w+\/manage#manage_/u);
  await home.getByRole('button', { name: 'Close voting' }).waitFor();
  const address = home.url().replace(/\/manage.*$/u, '');
  const joinCode = (await home.locator('#share .code').textContent()) ?? '';

  const crowd = await browser.visitor({ viewport: 'beamer' });
  const screen = await crowd.open(`${address}/present`);
  const team = await browser.visitor({ viewport: 'desktop' });
  const results = await team.open(`${address}/results`);
  await results.getByText('No votes yet').waitFor();
  await results.getByText('live, updated').waitFor();

  for (const [index, option] of ['Ljubljana', 'Lisbon', 'Ljubljana'].entries()) {
    const voter = await browser.visitor({ viewport: 'phone' });
    const phone = await voter.open(`${server().url}/join`);
    await phone.getByRole('textbox', { name: 'Code' }).fill(joinCode);
    await phone.getByRole('button', { name: 'Join' }).click();
    await phone.getByRole('radio', { name: option }).check();
    await phone.getByRole('button', { name: 'Vote', exact: true }).click();
    await phone.getByText('Your vote is counted').waitFor();
    await screen.locator('.turnout .big', { hasText: String(index + 1) }).waitFor();
    await results
      .locator('.standings')
      .getByText(`Shares of ${index + 1} ballot`)
      .waitFor();
  }
  await screen.locator('.row', { hasText: 'Ljubljana' }).getByText('2 · 67').waitFor();
  expect(await results.locator('.bars li bdi').allTextContents()).toEqual(['Lisbon', 'Ljubljana', 'Leipzig']);
  await home.locator('.totals').getByText('3', { exact: true }).first().waitFor();

  await home.getByRole('button', { name: 'Close voting' }).click();
  await home.getByRole('button', { name: 'Close now' }).click();
  await home.getByText('Voting is closed.').waitFor();
  await screen.locator('.outcome', { hasText: 'Winner' }).getByText('Ljubljana').waitFor();
  await results.getByText('Winner: \u2068Ljubljana\u2069').waitFor();
  expect(await results.locator('.bars li bdi').allTextContents()).toEqual(['Ljubljana', 'Lisbon', 'Leipzig']);
  await checkLooks(home, 'manage-story-closed', ['desktop'], ['light']);
});
