/** A server with the preset `election`, and its users. */
import { get, post, type Answer } from './http.ts';
import { createDatabase, shareServer, startOn, type TestServer } from './server.ts';
import { forgeToken, inSeconds, testSecret } from './tokens.ts';

export const candidateIds = [1, 2, 3].map((n) => `c0000000-0000-4000-8000-00000000000${n}`) as [string, string, string];

const flagsOfElection = ['--preset', 'election'];

/** One server for all tests of a group that leave no vote behind. */
export function shareElection(): () => TestServer {
  return shareServer(flagsOfElection, { JWT_SECRET_KEY: testSecret });
}

/** Stopped when the test has finished. */
export async function startElection(...flags: string[]): Promise<TestServer> {
  return startElectionOn(await createDatabase(), ...flags);
}

export async function startElectionOn(databaseUrl: string, ...flags: string[]): Promise<TestServer> {
  return startOn(databaseUrl, [...flagsOfElection, ...flags], { JWT_SECRET_KEY: testSecret });
}

export function tokenOf(user: string | number): string {
  return forgeToken({ user_id: user, exp: inSeconds(600) });
}

export async function sendVote(
  { url }: Pick<TestServer, 'url'>,
  user: string | number,
  candidateId: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return post(`${url}/api/v1/vote`, { candidate_id: candidateId, user_token: tokenOf(user) }, headers);
}

export function voteIdOf({ status, json, text }: Answer): string {
  if (status !== 202) throw new Error(`The vote was not accepted: ${text}`);
  return (json as { vote_id: string }).vote_id; // The shape is what the tests of the contract check.
}

export type VoteStatusBody = { processing_status: string; reason?: string };

export async function readStatus({ url }: Pick<TestServer, 'url'>, voteId: string): Promise<VoteStatusBody> {
  return (await get(`${url}/api/v1/votes/${voteId}`)).json as VoteStatusBody; // As above.
}

/** Votes by the name of their candidate, in the order of the answer. */
export async function readResults({ url }: Pick<TestServer, 'url'>, query = ''): Promise<[string, number][]> {
  const { json } = await get(`${url}/api/v1/results${query}`);
  const { results } = json as { results: { name: string; vote_count: number }[] }; // As above.
  return results.map(({ name, vote_count: count }) => [name, count]);
}
