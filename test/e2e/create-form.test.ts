/** The form that makes a poll: what it sends, and how it and the manage page say what the server refuses. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shareBrowser, type VisitorOptions } from '../support/browser.ts';
import { createPoll, get } from '../support/http.ts';
import { shareTestServer } from '../support/server.ts';

const server = shareTestServer('--preset', 'none');
const browser = shareBrowser();

const refusal = /status of 4\d\d/u;

async function openHome(options: VisitorOptions = {}): Promise<Page> {
  const visitor = await browser.visitor({ viewport: 'desktop', ...options });
  return visitor.open(`${server().url}/`);
}

async function nameOptions(page: Page, texts: readonly string[]): Promise<void> {
  for (const [index, text] of texts.entries()) {
    await page.getByRole('textbox', { name: `Option ${index + 1}`, exact: true }).fill(text);
  }
}

async function readSelections(page: Page): Promise<unknown> {
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.waitForURL(/\/manage#/u);
  const slug = /\/p\/([^/]+)\//u.exec(page.url())?.[1] ?? '';
  const made = await get(`${server().url}/api/v1/polls/${slug}`);
  return (made.json as { selections: unknown }).selections; // The shape is what the tests of the API check.
}

test('several choices are all options, also of those that were named after the kind was chosen', async () => {
  const page = await openHome();
  await page.getByRole('radio', { name: 'Several choices' }).check({ force: true });
  await page.getByRole('textbox', { name: 'Question' }).fill('Which of the five?');
  await nameOptions(page, ['A', 'B', 'C', 'D', 'E']);
  expect(await readSelections(page)).toEqual({ min: 1, max: 5 });
});

test('a maximum that is typed over the old one is what was typed, and the sentence tells it', async () => {
  const page = await openHome();
  await page.getByRole('radio', { name: 'Several choices' }).check({ force: true });
  await page.getByRole('textbox', { name: 'Question' }).fill('Three of the five?');
  await page.getByText('Who can vote, when, and what they see').click();
  await page.getByLabel('to', { exact: true }).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  expect(await page.getByLabel('to', { exact: true }).inputValue()).toBe('');
  await page.keyboard.type('3');
  expect(await page.getByLabel('to', { exact: true }).inputValue()).toBe('3');
  await nameOptions(page, ['A', 'B', 'C', 'D', 'E']);
  await page.getByText('one vote per browser, up to 3 options, open at once').waitFor();
  expect(await readSelections(page)).toEqual({ min: 1, max: 3 });
});

test('a count that cannot stand is mended when the field is left', async () => {
  const page = await openHome();
  await page.getByText('Who can vote, when, and what they see').click();
  const max = page.getByLabel('to', { exact: true });
  await max.fill('999');
  await max.blur();
  expect(await max.inputValue()).toBe('200');
  await max.fill('');
  await max.blur();
  expect(await max.inputValue()).toBe('200');
});

test('another kind keeps who can vote where somebody has chosen it', async () => {
  const page = await openHome();
  await page.getByText('Who can vote, when, and what they see').click();
  const who = page.getByRole('combobox', { name: 'Who can vote' });
  await page.getByRole('radio', { name: 'Election' }).check({ force: true });
  expect(await who.inputValue()).toBe('declared');
  await who.selectOption('open');
  await page.getByRole('radio', { name: 'Single choice' }).check({ force: true });
  await page.getByText('Anyone with the link, every vote counts').waitFor();
  expect(await who.inputValue()).toBe('open');
});

test('a German page says in German which field the server refuses, and why', async () => {
  const page = await openHome({ language: 'de', expected: [refusal] });
  await page.getByRole('textbox', { name: 'Frage' }).fill('Tee oder Kaffee?');
  await nameOptions(page, ['Tee', 'Kaffee']);
  await page.getByText('Wer abstimmen darf, wann, und was zu sehen ist').click();
  await page.getByLabel('Adresse').fill('Nicht So');
  const create = page.getByRole('button', { name: 'Abstimmung anlegen' });
  const alert = page.getByRole('alert');
  await create.click();
  await expect
    .poll(() => alert.textContent())
    .toBe('Das ging nicht: „Adresse“: Nur kleine Buchstaben, Ziffern und einzelne Striche dazwischen.');
  await page.getByLabel('Adresse').fill('tee-kaffee');
  await page.getByRole('combobox', { name: 'Schließt' }).selectOption('at');
  await page.locator('input[type="datetime-local"]').fill('2001-01-01T12:00');
  await page.getByLabel(/^Websites/u).fill('example.org/pfad');
  await create.click();
  await expect
    .poll(() => alert.textContent())
    .toBe(
      'Das ging nicht: „Websites, die sie in einem Rahmen zeigen dürfen, eine pro Zeile“, Eintrag 1: ' +
        'Eine Website wird wie https://example.org geschrieben, ohne Pfad; * steht für alle. ' +
        '„Schließt“: Dieser Zeitpunkt ist schon vorbei.',
    );
});

test('without a connection the form says so, and no longer once it is back', async () => {
  const visitor = await browser.visitor({ viewport: 'desktop', expected: [/ERR_INTERNET_DISCONNECTED/u] });
  const page = await visitor.open(`${server().url}/`);
  await page.getByRole('textbox', { name: 'Question' }).fill('Offline?');
  await nameOptions(page, ['Yes', 'No']);
  await visitor.context.setOffline(true);
  await page.getByRole('button', { name: 'Create the vote' }).click();
  await page.getByText('It could not be created: There is no connection to the server.').waitFor();
  await visitor.context.setOffline(false);
  await expect.poll(() => page.getByRole('alert').count()).toBe(0);
  expect(await page.getByRole('textbox', { name: 'Question' }).inputValue()).toBe('Offline?');
});

test('the manage page names the field that the server refuses, and the size of a picture that is too large', async () => {
  const poll = await createPoll(server().url, { question: 'Which?', options: ['A', 'B'] });
  const visitor = await browser.visitor({ viewport: 'desktop', language: 'de', expected: [refusal] });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey}`);
  await page.getByText('Text und Regeln').first().click();
  await page.getByLabel(/^Optionen/u).fill('A\nB\nA');
  await page.getByRole('button', { name: 'Speichern' }).click();
  await page.getByText('Das ging nicht: „Optionen, eine pro Zeile“, Eintrag 3: Das steht zweimal da.').waitFor();
  await page
    .locator('input[type="file"]')
    .setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: Buffer.alloc(70_000) });
  await page.getByText('Das ging nicht: Das Bild ist größer als 64 KB.').waitFor();
});

test('without a connection the manage page says so, and no longer once it is back', async () => {
  const poll = await createPoll(server().url, { question: 'Cut off?', options: ['A', 'B'] });
  const visitor = await browser.visitor({ viewport: 'desktop', expected: [/ERR_INTERNET_DISCONNECTED/u] });
  const page = await visitor.open(`${server().url}/p/${poll.slug}/manage#${poll.manageKey}`);
  await page.getByRole('button', { name: '+5 minutes' }).waitFor();
  await visitor.context.setOffline(true);
  await page.getByRole('button', { name: '+5 minutes' }).click();
  const told = page.getByText('That did not work: There is no connection to the server. Try again when it is back.');
  await told.waitFor();
  await visitor.context.setOffline(false);
  await told.waitFor({ state: 'detached' });
});
