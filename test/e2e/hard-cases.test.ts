/** Polls that are hard to show: very many options, very long words, other scripts, large numbers. And other languages. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, untilAlive, untilStill, viewports } from '../support/browser.ts';
import { createPoll, post, type TestPoll, type TestReceipt } from '../support/http.ts';
import { checkLooks, findBarriers, findOverflow, handViewports, screenViewports } from '../support/page-looks.ts';
import { castMany, takeStep } from '../support/polls.ts';
import { shareTestServer, startOn, startTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const longWord = 'Donaudampfschifffahrtsgesellschaftskapitaen'.repeat(5).slice(0, 200);
const polls: Record<string, object> = {
  'two-hundred-options': {
    question: 'Which of all these?',
    options: Array.from({ length: 200 }, (_, index) => `Option number ${index + 1}`),
  },
  'long-words': {
    question: longWord,
    description: longWord,
    options: [longWord, `${longWord}!`, { text: `${longWord}?`, description: longWord }, 'Short'],
  },
  'long-texts': {
    question: 'What, considering everything that we have heard today, is the one thing to do? '.repeat(12).trim(),
    options: ['A', 'B'].map((letter) => `${letter}: ${'a reason that goes on and on, '.repeat(15)}`),
  },
  arabic: {
    question: 'ما هو أفضل مكان لتناول الغداء يوم الجمعة؟',
    description: 'سنغادر المكتب عند الظهر.',
    options: ['المقصف', 'بيتزا (Pizza)', { text: 'שווארמה', description: 'خمس دقائق سيرا على الأقدام' }, 'Döner 3,50 €'],
  },
  emoji: {
    question: '🍕 or 🍣 or 👩‍👩‍👧‍👦?',
    options: ['🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕🍕', '🍣', '👩‍👩‍👧‍👦', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  },
};

async function makePoll(fields: object): Promise<TestPoll> {
  const poll = await createPoll(server().url, { listed: false, ...fields });
  await castMany(server().url, poll, [4, 9, 2, 0].slice(0, poll.options.length));
  return poll;
}

/** A visitor who walks from page to page. */
async function startWalk(): Promise<(path: string) => Promise<Page>> {
  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.context.newPage();
  return async (path) => {
    await page.goto(`${server().url}${path}`);
    await untilAlive(page);
    return page;
  };
}

test.for(Object.entries(polls))('%s fit on every page', async ([name, fields]) => {
  const poll = await makePoll(fields);
  const board = await makePoll({ ...fields, layout: 'board' });
  const open = await startWalk();
  await checkLooks(await open(`/p/${poll.slug}`), `vote-${name}`, ['narrow', 'tablet'], ['light']);
  await checkLooks(await open(`/p/${board.slug}`), `vote-board-${name}`, ['phone'], ['dark']);
  await checkLooks(await open(`/p/${poll.slug}/results`), `results-${name}`, ['narrow', 'tablet'], ['light']);
  await checkLooks(await open(`/p/${poll.slug}/present`), `present-${name}`, screenViewports, ['dark']);
  await checkLooks(
    await open(`/p/${poll.slug}/manage#${poll.manageKey}`),
    `manage-${name}`,
    ['narrow', 'tablet'],
    ['light'],
  );
  await takeStep(server().url, poll, 'close');
  await checkLooks(await open(`/p/${poll.slug}/present`), `present-${name}-winner`, ['tablet'], ['dark']);
});

test('listed polls of all kinds fit on the home page and the leaderboard', async () => {
  const own = await startTestServer('--preset', 'none');
  for (const fields of Object.values(polls)) {
    const poll = await createPoll(own.url, fields);
    await castMany(own.url, poll, [4, 9]);
  }
  const visitor = await browser.visitor();
  for (const [name, path] of [
    ['home', '/'],
    ['leaderboard', '/leaderboard'],
  ] as const) {
    const page = await visitor.open(`${own.url}${path}`);
    await checkLooks(page, `${name}-all-kinds`, ['narrow', 'tablet'], ['light']);
  }
});

test('a question in Arabic runs from right to left on every page', async () => {
  const poll = await makePoll(polls['arabic'] ?? {});
  const open = await startWalk();
  for (const path of ['', '/results', '/present', '/manage']) {
    const page = await open(`/p/${poll.slug}${path}`);
    const question = page.getByText('ما هو أفضل مكان').first();
    await question.waitFor();
    expect([path, await question.evaluate((element) => element.matches(':dir(rtl)'))]).toEqual([path, true]);
  }
});

test('pages that run from right to left as a whole do not break', async () => {
  const poll = await makePoll(polls['arabic'] ?? {});
  const open = await startWalk();
  for (const [name, path] of Object.entries(await pathsOf(poll))) {
    const page = await open(path);
    await page.evaluate(`document.documentElement.dir = 'rtl'`);
    const sizes = name === 'present' ? screenViewports : handViewports;
    await checkLooks(page, `${name}-right-to-left`, sizes, [name === 'present' ? 'dark' : 'light']);
  }
});

async function pathsOf(poll: TestPoll): Promise<Record<string, string>> {
  const cast = await post(`${server().url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: 'ada' });
  return {
    home: '/',
    join: '/join',
    leaderboard: '/leaderboard',
    vote: `/p/${poll.slug}`,
    results: `/p/${poll.slug}/results`,
    present: `/p/${poll.slug}/present`,
    manage: `/p/${poll.slug}/manage#${poll.manageKey}`,
    receipt: `/r/${(cast.json as TestReceipt).ballotId}`, // The shape is what the tests of the API check.
  };
}

test('a browser that prefers German gets every page in German', async () => {
  const poll = await makePoll({ question: 'Tee oder Kaffee?', options: ['Tee', 'Kaffee'], electorate: 'declared' });
  const english = await browser.visitor({ viewport: 'desktop' });
  const german = await browser.visitor({ viewport: 'desktop', language: 'de-CH' });
  for (const [name, path] of Object.entries(await pathsOf(poll))) {
    const [inEnglish, inGerman] = await Promise.all(
      [english, german].map((visitor) => visitor.open(`${server().url}${path}`)),
    );
    if (inEnglish === undefined || inGerman === undefined) throw new Error('Both pages are there.');
    expect([name, await inGerman.locator('html').getAttribute('lang')]).toEqual([name, 'de']);
    expect(await inEnglish.locator('html').getAttribute('lang')).toBe('en');
    expect([name, await inGerman.title()]).not.toEqual([name, await inEnglish.title()]);
    expect([name, await findBarriers(inGerman)]).toEqual([name, []]);
    for (const size of ['narrow', 'tablet'] as const) {
      await inGerman.setViewportSize(viewports[size]);
      await untilStill(inGerman);
      expect([name, size, await findOverflow(inGerman)]).toEqual([name, size, []]);
    }
    await inEnglish.close();
    await inGerman.close();
  }
});

test('numbers of ten digits fit on every page', async () => {
  const first = await startTestServer('--preset', 'none');
  const poll = await createPoll(first.url);
  await castMany(first.url, poll, [1, 1]);
  await first.query(`update tallies set votes = 4123456789, ballots = 8246913578 where votes > 0 or ballots > 0`);
  await first.stop();
  const second = await startOn(first.databaseUrl, ['--preset', 'none']);
  const visitor = await browser.visitor();
  for (const [name, sizes] of [
    ['results', handViewports],
    ['present', screenViewports],
  ] as const) {
    const page = await visitor.open(`${second.url}/p/${poll.slug}/${name}`);
    await page.getByText('4,123,456,789').first().waitFor();
    await checkLooks(page, `${name}-ten-digits`, sizes, ['dark']);
  }
});
