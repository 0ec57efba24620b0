/** Countdowns go by the ledger, however old the page is that shows them. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { createPoll, type TestPoll } from '../support/http.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();
const ageMs = 8_000;
/** Of a figure in whole seconds on a page that is busy. Half of the age would be more. */
const errorMsMax = 2_500;

const makePoll = (closesAt: number): Promise<TestPoll> =>
  createPoll(server().url, { electorate: 'cookie', closesAt: new Date(closesAt).toISOString() });

/** What the page shows is left until the closing time, less what is; null while it shows none. */
async function readError(page: Page, closesAt: number): Promise<number | null> {
  const [text, now] = await page.evaluate<[string, number]>(
    `[document.querySelector('.chip.open')?.textContent ?? '', Date.now()]`,
  );
  const [, minutes, seconds] = /(\d+):(\d\d)/u.exec(text) ?? [];
  if (minutes === undefined) return null;
  return (Number(minutes) * 60 + Number(seconds)) * 1_000 - (closesAt - now);
}

const expectRight = (page: Page, closesAt: number): Promise<void> =>
  expect.poll(() => readError(page, closesAt)).toSatisfy((error) => error !== null && Math.abs(error) < errorMsMax);

async function growOld(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate<number>('performance.now()')).toBeGreaterThan(ageMs);
}

test('a presenter that has been open for a while shows the next poll with the time that is left', async () => {
  const closesAt = Date.now() + 600_000;
  const [first] = [await makePoll(closesAt), await makePoll(closesAt)];
  const visitor = await browser.visitor({ viewport: 'beamer' });
  const page = await visitor.open(`${server().url}/p/${first.slug}/present`);
  await expectRight(page, closesAt);
  await growOld(page);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.url()).not.toContain(first.slug);
  await expectRight(page, closesAt);
});

test('a page that the browser goes back to shows the time that is left', async () => {
  const closesAt = Date.now() + 600_000;
  const poll = await makePoll(closesAt);
  const visitor = await browser.visitor();
  const page = await visitor.open(`${server().url}/p/${poll.slug}`);
  await expectRight(page, closesAt);
  await page.getByRole('link', { name: 'Results' }).first().click();
  await page.waitForURL(/\/results$/u);
  await growOld(page);
  await page.goBack();
  await expectRight(page, closesAt);
});
