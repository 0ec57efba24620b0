/** What tests do to polls over the API: their life, and ballots by the dozen. */
import { get, post, send, type Answer, type TestPoll } from './http.ts';

export type PollStepName = 'open' | 'pause' | 'close' | 'reopen' | 'extend';

export async function takeStep(
  serverUrl: string,
  poll: TestPoll,
  step: PollStepName,
  body: object = {},
): Promise<void> {
  const url = `${serverUrl}/api/v1/polls/${poll.id}/${step}`;
  const answer = await post(url, body, { 'manage-key': poll.manageKey });
  if (answer.status !== 200) throw new Error(`The poll did not ${step}: ${answer.text}`);
}

const closesInMs = 500;
const closesInMsMax = 30_000;

/** Lets an open poll close by the clock, in a moment. Where the first moment has passed before the server heard of it, a later one is named. */
export async function closeSoon(
  serverUrl: string,
  { id, manageKey }: Pick<TestPoll, 'id' | 'manageKey'>,
): Promise<void> {
  let answer: Answer | null = null;
  for (let ms = closesInMs; ms < closesInMsMax; ms *= 2) {
    const closesAt = new Date(Date.now() + ms).toISOString();
    answer = await post(`${serverUrl}/api/v1/polls/${id}/extend`, { closesAt }, { 'manage-key': manageKey });
    if (answer.status === 200) return;
  }
  throw new Error(`The poll takes no closing time: ${answer?.text}`);
}

export async function totalOf(serverUrl: string, poll: Pick<TestPoll, 'id' | 'manageKey'>): Promise<number> {
  const answer = await get(`${serverUrl}/api/v1/polls/${poll.id}/tally`, { 'manage-key': poll.manageKey });
  return (answer.json as { total: number }).total; // The shape is what the tests of the API check.
}

/** As many ballots for each option, in ballot order, as the counts say; each of another voter. */
export async function castMany(serverUrl: string, poll: TestPoll, counts: readonly number[]): Promise<void> {
  const votes = counts.flatMap((count, index) => Array.from({ length: count }, () => poll.options[index]?.id));
  const start = await totalOf(serverUrl, poll);
  const lines = votes.map((optionId, index) =>
    JSON.stringify({ selections: [optionId], userId: `voter-${start + index}` }),
  );
  const url = `${serverUrl}/api/v1/polls/${poll.id}/ballots:batch`;
  const answer = await send('POST', url, lines.join('\n'), { 'content-type': 'application/x-ndjson' });
  const countedLines = answer.text.split('\n').filter((line) => line.includes('"counted"'));
  if (countedLines.length !== votes.length)
    throw new Error(`Not every ballot was counted: ${answer.text.slice(0, 500)}`);
}
