/** What clients of the contract `live` send: the id of a poll in the path, and the id of an option in the body. */
import { isStorable } from '../poll/check-poll.ts';
import { faultAt, parseFields, type Fault } from './detail-errors.ts';

export const idCharsMax = 128;

export function parsePollId(given: string): string {
  return parseId(given, ['path', 'poll_id']);
}

export function parseOptionId(body: unknown): string {
  const { option_id: given } = parseFields(body);
  const loc = ['body', 'option_id'];
  if (given === undefined) throw faultAt(loc, 'missing', 'Field required');
  if (typeof given !== 'string') throw faultAt(loc, 'string_type', 'Input should be a valid string');
  return parseId(given, loc);
}

function parseId(text: string, loc: Fault['loc']): string {
  if (text === '') throw faultAt(loc, 'string_too_short', 'String should have at least 1 character');
  if (isTooLong(text)) throw faultAt(loc, 'string_too_long', `String should have at most ${idCharsMax} characters`);
  if (isStorable(text)) return text;
  throw faultAt(loc, 'value_error', 'Value error, the text has characters that cannot be stored');
}

/** Characters beyond the first plane count once. */
function isTooLong(text: string): boolean {
  if (text.length <= idCharsMax) return false;
  return text.length > 2 * idCharsMax || Array.from(text).length > idCharsMax;
}
