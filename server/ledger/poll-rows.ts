/** How polls stand in the ledger: one row each, with its options as a JSON list. */
import type { Electorate, Layout, Option, OptionId, Poll, PollId, Revote, Visibility } from '../poll/poll.ts';

export const pollColumns = `
  polls.poll_no, polls.id, polls.slug, polls.join_code, polls.question, polls.description,
  polls.electorate, polls.electorate_size, polls.revote, polls.visibility,
  polls.selections_min, polls.selections_max, polls.listed,
  polls.layout, polls.color, polls.embed_parents, polls.logo is not null as has_logo,
  polls.opens_at, polls.closes_at, polls.paused_at,
  polls.manage_key_hash, polls.revision, polls.ballot_form, polls.created_at, polls.made_as,
  (
    select json_agg(json_build_object('optionNo', option_no, 'id', id, 'text', text, 'description', description) order by option_no)
    from options
    where options.poll_no = polls.poll_no
  ) as options`;

export type PollRow = {
  poll_no: number;
  id: string;
  slug: string;
  join_code: string;
  question: string;
  description: string | null;
  electorate: Electorate;
  electorate_size: number | null;
  revote: Revote;
  visibility: Visibility;
  selections_min: number;
  selections_max: number;
  listed: boolean;
  layout: Layout;
  color: string | null;
  embed_parents: string[];
  has_logo: boolean;
  opens_at: number | null;
  closes_at: number | null;
  paused_at: number | null;
  manage_key_hash: Buffer;
  revision: number;
  ballot_form: number;
  created_at: number;
  made_as: string | null;
  options: { optionNo: number; id: OptionId; text: string; description: string | null }[];
};

export function toPoll(row: PollRow): Poll {
  const options: Option[] = row.options;
  return {
    pollNo: row.poll_no,
    id: row.id as PollId, // The ledger holds ids of polls in this column, and nothing else.
    slug: row.slug,
    joinCode: row.join_code,
    question: row.question,
    description: row.description,
    electorate: row.electorate,
    electorateSize: row.electorate_size,
    revote: row.revote,
    visibility: row.visibility,
    selectionsMin: row.selections_min,
    selectionsMax: row.selections_max,
    listed: row.listed,
    layout: row.layout,
    color: row.color,
    embedParents: row.embed_parents,
    hasLogo: row.has_logo,
    opensAt: row.opens_at,
    closesAt: row.closes_at,
    pausedAt: row.paused_at,
    manageKeyHash: row.manage_key_hash,
    revision: row.revision,
    ballotForm: row.ballot_form,
    createdAt: row.created_at,
    madeAs: row.made_as,
    options,
    optionNoById: new Map(options.map((option) => [option.id, option.optionNo])),
  };
}
