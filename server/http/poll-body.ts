/** From the body of a request to the poll that it describes: defaults filled in, times as numbers. */
import type { Extension, NewPoll, PollEdit as PollEditBody } from '../../protocol/poll.ts';
import { AppError } from '../errors.ts';
import type { PollEdit, PollStep } from '../intake/manage-poll.ts';
import type { OptionDraft, PollDraft } from '../poll/check-poll.ts';
import { plainTerms } from '../poll/poll.ts';

/** Two hundred options with their texts and descriptions, in any script. */
export const pollBytesMax = 4 * 1024 * 1024;

/** `now` is the ledger's clock: a poll that says nothing about its opening opens at once. */
export function toPollDraft(body: NewPoll, now: number): PollDraft {
  const opensAt = body.opensAt === undefined ? now : toTime(body.opensAt, '/opensAt');
  return {
    question: body.question,
    description: body.description ?? plainTerms.description,
    electorate: body.electorate ?? 'cookie',
    electorateSize: body.electorateSize ?? plainTerms.electorateSize,
    revote: body.revote ?? plainTerms.revote,
    visibility: body.visibility ?? plainTerms.visibility,
    selectionsMin: body.selections?.min ?? Math.min(1, body.selections?.max ?? 1),
    selectionsMax: body.selections?.max ?? Math.max(1, body.selections?.min ?? 1),
    listed: body.listed ?? plainTerms.listed,
    layout: body.layout ?? plainTerms.layout,
    color: body.color?.toLowerCase() ?? plainTerms.color,
    embedParents: body.embedParents ?? plainTerms.embedParents,
    slug: body.slug ?? null,
    options: toOptionDrafts(body.options),
    opensAt: body.draft === true && body.opensAt === undefined ? null : opensAt,
    closesAt: toNullableTime(body.closesAt, '/closesAt'),
  };
}

export function toPollEdit(body: PollEditBody): PollEdit {
  const { options, selections, color, ...terms } = body;
  return {
    ...terms,
    ...(color === undefined ? {} : { color: color?.toLowerCase() ?? null }),
    ...(selections?.min === undefined ? {} : { selectionsMin: selections.min }),
    ...(selections?.max === undefined ? {} : { selectionsMax: selections.max }),
    ...(options === undefined ? {} : { options: toOptionDrafts(options) }),
  };
}

export function toExtension(body: Extension): PollStep {
  if ('minutes' in body) return { step: 'postpone', minutes: body.minutes };
  return { step: 'extend', closesAt: toNullableTime(body.closesAt, '/closesAt') };
}

export function toNullableTime(text: string | null | undefined, pointer: string): number | null {
  return text === null || text === undefined ? null : toTime(text, pointer);
}

/** The last moment with a year of four digits, as RFC 3339 writes it. Before 1970 no poll was ever open. */
const timeMax = Date.UTC(10_000, 0) - 1;

function toTime(text: string, pointer: string): number {
  const time = Date.parse(text);
  if (time >= 0 && time <= timeMax && namesItsDay(text)) return time;
  throw new AppError('poll_invalid', 'The poll breaks a rule.', { violations: [{ pointer, rule: 'no_such_date' }] });
}

/** Whether the day is in the calendar and the hour on the clock: Date reads February 30 as March 2, and 24:00 as the next day. */
function namesItsDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return text.slice(11, 13) !== '24' && new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

function toOptionDrafts(options: NewPoll['options']): OptionDraft[] {
  return options.map((option, index) => {
    const place = String(index + 1);
    if (typeof option === 'string') return { id: place, text: option, description: null };
    return { id: option.id ?? place, text: option.text, description: option.description ?? null };
  });
}
