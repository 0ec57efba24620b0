/** What clients of the contract `election` send. */
import { isUuidText } from '../lib/uuid-v7.ts';
import { toRequestUrl } from '../lib/request-url.ts';
import { DetailRefusal, faultAt, parseFields, type Fault } from './detail-errors.ts';

/** `token` undefined: it comes in the header, if at all. `candidateId` is yet to be read: who votes is asked first. */
export type ElectionVote = { readonly token: string | undefined; readonly candidateId: unknown };

export function parseVoteBody(body: unknown): ElectionVote {
  const { candidate_id: candidateId, user_token: token } = parseFields(body);
  if (token === undefined || token === null) return { token: undefined, candidateId };
  if (typeof token === 'string' && token !== '') return { token, candidateId };
  throw new DetailRefusal(401, 'Could not validate credentials: the token is no text.');
}

/** The canonical text of a UUID in any of its spellings: with or without dashes, in braces, as a URN. */
export function parseCandidateId(given: unknown, loc: Fault['loc']): string {
  if (given === undefined) throw faultAt(loc, 'missing', 'Field required');
  if (typeof given !== 'string') throw faultAt(loc, 'uuid_type', 'UUID input should be a string, bytes or UUID object');
  const digits = given.replace(/^urn:uuid:/iu, '').replace(/^\{(.*)\}$/u, '$1');
  const text = /^[0-9a-f]{32}$/iu.test(digits)
    ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5')
    : digits;
  if (isUuidText(text)) return text.toLowerCase();
  throw faultAt(loc, 'uuid_parsing', 'Input should be a valid UUID');
}

export type ResultsQuery = { readonly candidateId: string | null; readonly page: number; readonly limit: number };

export const limitDefault = 100;
export const limitMax = 100;

export function parseResultsQuery(url: string): ResultsQuery {
  const query = toRequestUrl(url).searchParams;
  const page = parseInteger(query, 'page', 1);
  const limit = parseInteger(query, 'limit', limitDefault);
  const candidate = query.get('candidate_id');
  const candidateId = candidate === null ? null : parseCandidateId(candidate, ['query', 'candidate_id']);
  if (page < 1) throw new DetailRefusal(400, 'Page number must be 1 or greater.');
  if (limit < 1 || limit > limitMax) throw new DetailRefusal(400, `Limit must be between 1 and ${limitMax}.`);
  return { candidateId, page, limit };
}

function parseInteger(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (/^[+-]?\d+$/u.test(text.trim())) return Number(text);
  throw faultAt(
    ['query', name],
    'int_parsing',
    'Input should be a valid integer, unable to parse string as an integer',
  );
}
