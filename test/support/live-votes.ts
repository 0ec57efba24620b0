/** Votes and results of the contract `live`. */
import { expect } from 'vitest';
import { get, post, type Answer } from './http.ts';
import type { TestServer } from './server.ts';

export const flagsOfLive = ['--preset', 'live'];
export const accepted = { status: 'success', message: 'Vote accepted' };

export type LiveResults = { poll_id: string; results: Record<string, number>; served_via: string };
type Place = Pick<TestServer, 'url'>;

export function vote(
  { url }: Place,
  pollId: string,
  optionId: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return post(`${url}/api/v1/vote/${encodeURIComponent(pollId)}`, { option_id: optionId }, headers);
}

export async function readResults({ url }: Place, pollId: string): Promise<LiveResults> {
  return (await get(`${url}/api/v1/results/${encodeURIComponent(pollId)}`)).json as LiveResults; // What the tests of the contract check.
}

/** Votes by option, once they are all there: a cached answer may be 5 s old. */
export async function expectVotes(server: Place, pollId: string, votes: Record<string, number>): Promise<void> {
  await expect.poll(async () => (await readResults(server, pollId)).results).toEqual(votes);
}
