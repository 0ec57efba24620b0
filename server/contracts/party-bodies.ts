/** What clients of the contract `party` send, read in the order in which the contract names its refusals. */
import {
  isStorable,
  isText,
  optionsMax,
  optionsMin,
  optionTextCharsMax,
  questionCharsMax,
} from '../poll/check-poll.ts';
import { timeMax } from '../poll/schedule.ts';
import { PartyRefusal } from './party-errors.ts';

export type PartyPoll = { readonly question: string; readonly options: readonly string[]; readonly expiresAt: number };
export type PartyVote = { readonly userId: string; readonly optionId: string };

export const userIdCharsMax = 255;
export const limitMax = 100;

export function parsePollBody(body: unknown, now: number): PartyPoll {
  const { question, options, expired_at: expiredAt } = toFields(body);
  if (isMissing(question) || isMissing(options) || isMissing(expiredAt)) {
    throw invalid('Missing required fields: question, options, expired_at');
  }
  if (typeof question !== 'string' || !isText(question)) throw invalid('Question must be a non-empty string');
  if (charCount(question) > questionCharsMax)
    throw invalid(`Question must have at most ${questionCharsMax} characters`);
  return { question, options: parseOptions(options), expiresAt: parseExpiry(expiredAt, now) };
}

function parseOptions(options: unknown): string[] {
  if (!Array.isArray(options) || options.length < optionsMin)
    throw invalid('Options must be an array with at least 2 items');
  if (options.length > optionsMax) throw invalid(`Options must be an array with at most ${optionsMax} items`);
  const texts = options.map((option: unknown) => {
    if (typeof option !== 'string' || !isText(option)) throw invalid('All options must be non-empty strings');
    if (charCount(option) > optionTextCharsMax)
      throw invalid(`All options must have at most ${optionTextCharsMax} characters`);
    return option;
  });
  if (new Set(texts.map((text) => text.trim().normalize('NFC'))).size < texts.length)
    throw invalid('All options must be different');
  return texts;
}

function parseExpiry(expiredAt: unknown, now: number): number {
  const time = typeof expiredAt === 'string' ? Date.parse(expiredAt) : Number.NaN;
  if (!Number.isFinite(time) || time > timeMax) throw invalid('expired_at must be a valid date string');
  if (time <= now) throw invalid('expired_at must be in the future');
  return time;
}

export function parseVoteBody(body: unknown): PartyVote {
  const { user_id: user, option_id: optionId } = toFields(body);
  // Beyond the safe integers two users would share one number.
  const userId = typeof user === 'number' && Math.abs(user) <= Number.MAX_SAFE_INTEGER ? String(user) : user;
  if (isMissing(userId) || isMissing(optionId) || userId === '' || optionId === '') {
    throw invalid('Poll ID, option ID, and user ID are required');
  }
  if (typeof userId !== 'string' || charCount(userId) > userIdCharsMax || !isStorable(userId)) {
    throw invalid(`user_id must be text of 1 to ${userIdCharsMax} characters`);
  }
  if (typeof optionId !== 'string') throw invalid('option_id must be the id of an option');
  return { userId, optionId };
}

export function parseLimit(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const limit = /^\d{1,3}$/u.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limitMax) throw invalid(`limit must be a whole number from 1 to ${limitMax}`);
  return limit;
}

function toFields(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

/** As the schemas of the API count: a character outside the first plane is one, not two. */
function charCount(text: string): number {
  return Array.from(text).length;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function invalid(message: string): PartyRefusal {
  return new PartyRefusal(400, 'Validation Error', message);
}
