/**
 * The clients in examples/, each run as its reader would, against a server whose answers get lost on the way.
 * Debian has no k6: of `k6.js` it is only checked that it is a module which Node can read.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../scripts/services/installed.ts';
import { findFreePort } from '../../scripts/services/ports.ts';
import { shareBrowser } from '../support/browser.ts';
import { createPoll, post } from '../support/http.ts';
import { startUnsteadyProxy } from '../support/unsteady-proxy.ts';
import { startTestServer } from '../support/server.ts';
import { serveSite } from '../support/sites.ts';

const folder = path.resolve(import.meta.dirname, '../../examples');
const browser = shareBrowser();
const clients = [
  ['bash', 'curl.sh'],
  ['node', 'node.mjs'],
  ['python3', 'python.py'],
] as const;

for (const [program, file] of clients) {
  test(`${file} gets one receipt for one ballot through lost answers, and follows the poll`, async () => {
    const server = await startTestServer('--preset', 'none');
    const poll = await createPoll(server.url, { slug: 'drinks' });
    const proxy = await startUnsteadyProxy(server.url, '/ballots');
    const client = run(program, file, proxy.url, 'drinks', '1', 'alice');
    await client.untilSaid(await receiptOf(server));
    expect(proxy.keys).toHaveLength(3);
    expect(new Set(proxy.keys).size).toBe(1);
    // A voter who comes later shows in the stream.
    await client.untilSaid(/\b1\b/u);
    await post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['2'], userId: 'bob' });
    await client.untilSaid(/Live 2\b|^data: .*"total":2\b/mu);
  });

  test(`${file} ends with what the server says when the ballot is refused`, async () => {
    const server = await startTestServer('--preset', 'none');
    await createPoll(server.url, { slug: 'drinks' });
    const client = run(program, file, server.url, 'drinks', 'no-such-option', 'alice');
    expect(await client.status).not.toBe(0);
    expect(client.said()).toContain('ballot_invalid');
  });
}

test('browser.html votes by the element and by hand, and shows the votes as they come', async () => {
  const text = await readFile(path.join(folder, 'browser.html'), 'utf8');
  const port = String(await findFreePort());
  const url = `http://127.0.0.1:${port}`;
  const site = await serveSite({ '/': text.replaceAll('http://localhost:8000', url), '/favicon.ico': '' });
  const server = await startTestServer('--preset', 'none', '--port', port, '--cors-origins', site.origin);
  await createPoll(server.url, { slug: 'drinks', electorate: 'open', embedParents: [site.origin] });

  const visitor = await browser.visitor({ viewport: 'desktop' });
  const page = await visitor.context.newPage();
  await page.goto(site.origin);
  // By keyboard: a frame above that is just growing to its height moves the button away from under a pointer.
  await page.getByRole('button', { name: 'Tea 0' }).press('Enter');
  await page.getByRole('button', { name: 'Tea 1' }).waitFor();
  await page.getByText(await receiptOf(server)).waitFor();
  const frame = page.frameLocator('hustings-poll iframe');
  await frame.getByRole('radio', { name: 'Coffee' }).check();
  await frame.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByRole('button', { name: 'Coffee 1' }).waitFor();
});

test('k6.js can be read', async () => {
  expect(await run('node', '--check', path.join(folder, 'k6.js')).status).toBe(0);
});

type Client = {
  readonly status: Promise<number | null>;
  said(): string;
  untilSaid(text: string | RegExp): Promise<void>;
};

/** Ended when the test has finished. */
function run(program: 'bash' | 'node' | 'python3', ...args: string[]): Client {
  const command = program === 'node' ? process.execPath : findProgram([program]);
  if (command === null) throw new Error(`The examples need ${program}, which is not on PATH.`);
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = gather(child);
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    status: ended.then(() => child.exitCode),
    said: text,
    untilSaid: (wanted) => expect.poll(text, { timeout: 30_000 }).toMatch(wanted),
  };
}

function gather(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  return () => text;
}

/** The id of the one ballot in the ledger. */
async function receiptOf(server: Awaited<ReturnType<typeof startTestServer>>): Promise<string> {
  const read = (): Promise<{ id: string }[]> => server.query<{ id: string }>('select ballot_id as id from ballots');
  await expect.poll(async () => (await read()).length, { timeout: 30_000 }).toBe(1);
  return (await read())[0]?.id ?? '';
}
