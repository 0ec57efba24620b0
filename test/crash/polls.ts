/** The polls of a crash test: each policy through each interface that has it. */
import { createPoll, get, post } from '../support/http.ts';
import type { CrashPoll } from './clients.ts';

/** One poll that most go to, and many others. */
export async function createPolls(url: string): Promise<CrashPoll[]> {
  const made = await Promise.all([
    createCrashPoll(url, 'refuse', { slug: 'hot' }, 12),
    createCrashPoll(url, 'replace', { slug: 'hot-and-changing', revote: 'replace' }, 6),
    ...Array.from({ length: 6 }, () => createCrashPoll(url, 'refuse', {}, 1)),
    ...Array.from({ length: 6 }, () => createCrashPoll(url, 'replace', { revote: 'replace' }, 1)),
    ...Array.from({ length: 3 }, () => createCrashPoll(url, 'open', { electorate: 'open' }, 1)),
    createPartyPoll(url),
  ]);
  const board: CrashPoll = {
    poll: 'features',
    id: await readId(url, 'features'),
    policy: 'open',
    door: 'features',
    options: ['1', '2', '3'],
    weight: 3,
  };
  return [...made, board];
}

async function createCrashPoll(
  url: string,
  policy: CrashPoll['policy'],
  fields: object,
  weight: number,
): Promise<CrashPoll> {
  const { id, slug, options } = await createPoll(url, fields);
  return { poll: slug, id, policy, door: 'rest', options: options.map((option) => option.id), weight };
}

async function createPartyPoll(url: string): Promise<CrashPoll> {
  const body = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'], expired_at: '2999-01-01T00:00:00Z' };
  const party = (await post(`${url}/polls`, body)).json as { id: string; options: { option_id: string }[] }; // The shapes are what other tests check.
  const { slug } = (await get(`${url}/api/v1/polls/${party.id}`)).json as { slug: string };
  const options = party.options.map((option) => option.option_id);
  return { poll: slug, id: party.id, policy: 'refuse', door: 'party', options, weight: 3 };
}

async function readId(url: string, slug: string): Promise<string> {
  return ((await get(`${url}/api/v1/polls/${slug}`)).json as { id: string }).id; // As above.
}
