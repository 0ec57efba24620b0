/** The two pictures of the README. With UPDATE_SNAPSHOTS=1 they are taken anew into docs/pictures. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pictureFolder, shareBrowser, takePicture, untilStill } from '../support/browser.ts';
import { createPoll } from '../support/http.ts';
import { castMany } from '../support/polls.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none', '--public-url', 'https://vote.example.org');
const browser = shareBrowser();
const root = path.resolve(import.meta.dirname, '../..');
const keptFolder = path.join(root, 'docs/pictures');
const pictureBytesMax = 150_000;
const names = ['presenter', 'vote'] as const;

test('the presenter and a phone show the same poll, as the README does', async () => {
  const poll = await createPoll(server().url, {
    question: 'Which city shall host the next meeting?',
    options: ['Lisbon', 'Ljubljana', 'Leipzig', 'Lviv'],
    electorate: 'open',
    slug: 'next-meeting',
  });
  await castMany(server().url, poll, [239, 91, 180, 33]);
  const crowd = await browser.visitor({ viewport: 'beamer', theme: 'dark' });
  const screen = await crowd.open(`${server().url}/p/${poll.slug}/present`);
  const voter = await browser.visitor();
  const phone = await voter.open(`${server().url}/p/${poll.slug}`);
  await phone.getByRole('radio', { name: 'Lisbon' }).check();
  await phone.getByRole('button', { name: 'Vote', exact: true }).click();
  await phone.getByText('Your vote is counted').waitFor();
  await phone.getByText('240').waitFor();
  await screen.locator('.turnout .big', { hasText: '544' }).waitFor();
  for (const [name, page] of [['presenter', screen] as const, ['vote', phone] as const]) {
    await untilStill(page);
    await takePicture(page, `readme-${name}`);
    if (process.env['UPDATE_SNAPSHOTS'] === '1') await keep(name);
  }
});

test('the README shows them, and a clone need not carry much for it', async () => {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  for (const name of names) {
    expect(readme).toContain(`docs/pictures/${name}.png`);
    expect((await readFile(path.join(keptFolder, `${name}.png`))).length).toBeLessThan(pictureBytesMax);
  }
});

async function keep(name: (typeof names)[number]): Promise<void> {
  await mkdir(keptFolder, { recursive: true });
  await copyFile(path.join(pictureFolder, `readme-${name}.png`), path.join(keptFolder, `${name}.png`));
}
