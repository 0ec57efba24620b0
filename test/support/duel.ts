/** A server with the preset `duel`, and voters of it. */
import type { Answer } from './http.ts';
import { createDatabase, shareTestServer, startOn, type TestServer } from './server.ts';

export type DuelServer = TestServer & { readonly resultsUrl: string };

const flags = ['--preset', 'duel', '--results-port', '0'];

/** One server for all tests of a group that leave no vote behind. */
export function shareDuel(): () => TestServer {
  return shareTestServer(...flags);
}

/** Stopped when the test has finished. */
export async function startDuel(...more: string[]): Promise<DuelServer> {
  return startDuelOn(await createDatabase(), ...more);
}

export async function startDuelOn(databaseUrl: string, ...more: string[]): Promise<DuelServer> {
  const server = await startOn(databaseUrl, [...flags, ...more]);
  return { ...server, resultsUrl: `http://127.0.0.1:${server.running.resultsPort}` };
}

/** A form as a browser sends it; `cookie` is the `voter_id` of an earlier answer. */
export async function sendForm(
  url: string,
  body: string,
  { cookie, ...headers }: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(cookie === undefined ? {} : { cookie: `voter_id=${cookie}` }),
      ...headers,
    },
  });
  return { status: response.status, headers: response.headers, text: await response.text(), json: undefined };
}

export function cookieOf({ headers }: Answer): string {
  const [, value] = /^voter_id=([^;]+);/u.exec(headers.get('set-cookie') ?? '') ?? [];
  if (value === undefined) throw new Error('The answer sets no voter_id.');
  return value;
}

/** The scores by the line of SQL that the contract names. */
export async function countVotes(server: TestServer): Promise<Record<string, number>> {
  const rows = await server.query<{ vote: string; count: string }>(
    'SELECT vote, COUNT(*) AS count FROM votes GROUP BY vote',
  );
  return Object.fromEntries(rows.map(({ vote, count }) => [vote, Number(count)]));
}

/** The choice that a page marks; null where it marks none. */
export function markedChoice(html: string): string | null {
  return /<button id="(.)"[^>]* class="chosen"/u.exec(html)?.[1] ?? null;
}
