import { expect, test } from 'vitest';
import { shareBrowser } from '../support/browser.ts';
import { createPoll, type TestPoll } from '../support/http.ts';
import { totalOf } from '../support/polls.ts';
import { shareServer } from '../support/server.ts';
import { forgeToken, inSeconds, testSecret } from '../support/tokens.ts';

const server = shareServer(['--preset', 'none'], { JWT_SECRET_KEY: testSecret });
const browser = shareBrowser();

const createTokenPoll = (fields: object = {}): Promise<TestPoll> =>
  createPoll(server().url, { electorate: 'token', ...fields });
const tokenOf = (user: string): string => forgeToken({ sub: user, exp: inSeconds(600) });

test('a voter pastes a token, is told of a wrong one, and votes once', async () => {
  const poll = await createTokenPoll();
  const voter = await browser.visitor({ expected: [/ 401 /u] });
  const page = await voter.open(`${server().url}/p/${poll.slug}`);
  const send = page.getByRole('button', { name: 'Vote', exact: true });
  await page.getByRole('radio', { name: 'Tea' }).check();
  await send.click();
  await page.getByText('Paste your token first.').waitFor();
  const field = page.getByLabel('Your token');
  await field.fill(forgeToken({ sub: 'alice', exp: inSeconds(-100) }));
  await send.click();
  await page.getByText('The token was not accepted').waitFor();
  await field.fill(` ${tokenOf('alice')}\n`);
  await send.click();
  await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
  expect(await page.evaluate('JSON.stringify([localStorage, sessionStorage])')).not.toContain('eyJ');
});

test('a link may bring the token, which leaves the address at once', async () => {
  const poll = await createTokenPoll({ layout: 'board' });
  const voter = await browser.visitor();
  const page = await voter.open(`${server().url}/p/${poll.slug}#token=${tokenOf('bob')}`);
  await page.waitForFunction("location.hash === ''");
  expect(await page.getByLabel('Your token').inputValue()).not.toBe('');
  await page.getByRole('button', { name: 'Vote for Coffee' }).click();
  await page.getByText('Your vote is counted').waitFor();
  expect(await totalOf(server().url, poll)).toBe(1);
});
