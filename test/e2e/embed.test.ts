/** Polls in pages of other sites: in a frame where the organiser allows it, by `<hustings-poll>` or by hand, and nowhere else. */
import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { createPoll } from '../support/http.ts';
import { totalOf } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';
import { serveSite } from '../support/sites.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

/** A site whose page holds the poll in a frame, and the element in another page. */
function serveHost(slug: string, hostname: 'localhost' | '127.0.0.1' = 'localhost') {
  const frame = `<iframe src="${server().url}/embed/${slug}" title="Poll" width="400" height="600"></iframe>`;
  const element = `<script type="module" src="${server().url}/hustings-poll.js"></script><hustings-poll poll="${slug}"></hustings-poll>`;
  const documents = {
    '/frame': `<!doctype html><title>A site</title><h1>News</h1>${frame}`,
    '/element': `<!doctype html><title>A site</title><h1>News</h1>${element}`,
    '/favicon.ico': '',
  };
  return serveSite(documents, hostname);
}

const bottomOf = (box: { y: number; height: number } | null): number => (box?.y ?? 0) + (box?.height ?? 0);

test('a frame on an allowed site shows the poll and takes a vote; on any other it stays empty', async () => {
  const poll = await createPoll(server().url, { electorate: 'open', slug: 'framed' });
  const host = await serveHost('framed');
  const visitor = await browser.visitor({ viewport: 'desktop', expected: [/frame-ancestors|chrome-error/u] });
  const page = await visitor.context.newPage();
  await page.goto(`${host.origin}/frame`);
  await expect.poll(() => visitor.faults.some((fault) => fault.includes('frame-ancestors'))).toBe(true);
  expect(await page.frameLocator('iframe').getByRole('radio').count()).toBe(0);

  const headers = { 'manage-key': poll.manageKey, 'content-type': 'application/json' };
  const body = JSON.stringify({ embedParents: [host.origin] });
  await fetch(`${server().url}/api/v1/polls/${poll.id}`, { method: 'PATCH', headers, body });
  await page.goto(`${host.origin}/frame`);
  const frame = page.frameLocator('iframe');
  await frame.getByRole('radio', { name: 'Tea' }).check();
  await frame.getByRole('button', { name: 'Vote', exact: true }).click();
  await frame.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
  // No frame of another site may show the receipt, so it opens beside it.
  const opened = visitor.context.waitForEvent('page');
  await frame.getByRole('link', { name: 'Check it later' }).click();
  const receipt = await opened;
  await receipt.getByRole('heading', { name: 'This ballot is counted' }).waitFor();
  // What leads away from the frame is not in it.
  expect(await frame.getByRole('navigation').count()).toBe(0);
});

test('in a frame on the same site a browser has one vote, which is there again after a reload', async () => {
  const host = await serveHost('once-each', '127.0.0.1');
  const fields = { electorate: 'cookie', slug: 'once-each', embedParents: [host.origin] };
  const poll = await createPoll(server().url, fields);
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.context.newPage();
  await page.goto(`${host.origin}/frame`);
  const frame = page.frameLocator('iframe');
  await frame.getByRole('radio', { name: 'Tea' }).check();
  await frame.getByRole('button', { name: 'Vote', exact: true }).click();
  await frame.getByText('Your vote is counted').waitFor();
  const receipt = await frame.locator('#outcome code').textContent();
  await page.reload();
  await frame.getByText('Your vote is counted').waitFor();
  expect(await frame.locator('#outcome code').textContent()).toBe(receipt);
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('<hustings-poll> shows the poll on a site of another origin, as high as it is', async () => {
  const host = await serveHost('as-element');
  const poll = await createPoll(server().url, { electorate: 'open', slug: 'as-element', embedParents: [host.origin] });
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.context.newPage();
  await page.goto(`${host.origin}/element`);
  const frame = page.frameLocator('hustings-poll iframe');
  await frame.getByRole('radio', { name: 'Coffee' }).check();
  // The ballot ends where its last words do: there is no bar to leave room for.
  const ballot = await frame.locator('form.ballot').boundingBox();
  const words = await frame.locator('footer.send p').last().boundingBox();
  expect(bottomOf(ballot) - bottomOf(words)).toBeLessThan(20);
  await frame.getByRole('button', { name: 'Vote', exact: true }).click();
  await frame.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
  const inside = await frame.locator('html').evaluate((element) => element.scrollHeight);
  await expect
    .poll(async () => (await page.locator('hustings-poll').boundingBox())?.height)
    .toBeGreaterThanOrEqual(inside);
});

test('the frame works without a script, too', async () => {
  const host = await serveHost('plain-frame');
  const fields = { electorate: 'open', slug: 'plain-frame', embedParents: [host.origin] };
  const poll = await createPoll(server().url, fields);
  const visitor = await browser.visitor({ viewport: 'desktop', javaScript: false });
  const page = await visitor.context.newPage();
  await page.goto(`${host.origin}/frame`);
  const frame = page.frameLocator('iframe');
  await frame.getByRole('radio', { name: 'Tea' }).check();
  await frame.getByRole('button', { name: 'Vote', exact: true }).click();
  await frame.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});

test('no other page of the server can be framed, not even where the poll may be', async () => {
  const poll = await createPoll(server().url, { electorate: 'open', slug: 'only-this', embedParents: ['*'] });
  const paths = ['/', `/p/${poll.slug}`, `/p/${poll.slug}/results`, `/p/${poll.slug}/manage`];
  const frames = paths.map((path) => `<iframe src="${server().url}${path}" title="${path}"></iframe>`).join('');
  const host = await serveSite({ '/': `<!doctype html><title>A site</title>${frames}`, '/favicon.ico': '' });
  const visitor = await browser.visitor({ viewport: 'desktop', expected: [/frame-ancestors|chrome-error/u] });
  const page = await visitor.context.newPage();
  await page.goto(host.origin);
  await expect
    .poll(() => visitor.faults.filter((fault) => fault.includes("frame-ancestors 'none'")).length)
    .toBe(paths.length);
});
