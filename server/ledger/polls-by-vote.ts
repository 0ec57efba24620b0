/**
 * Polls that votes make: a poll and its options exist from the first vote for them. In everything else they are polls like any other.
 *
 * An option is added behind those that stand, so no number changes its meaning and ballots on their way stay as they are: the form of the poll,
 * which every ballot names, does not grow. Its revision does, and that is how other servers hear of it.
 */
import { isSlug } from '../poll/check-poll.ts';
import type { Poll } from '../poll/poll.ts';
import { pollColumns, toPoll, type PollRow } from './poll-rows.ts';
import { toPollName } from './polls.ts';
import { inTransaction, type Pool, type Queryable } from './postgres.ts';

/** A poll by the id that votes name it by, and the options that it should have. Texts that the ledger can hold. */
export type WantedPoll = { readonly name: string; readonly optionIds: readonly string[] };

/** What a new poll is called besides the id of its votes. The slug is used where that id is none or is taken. */
export type DrawnNames = {
  readonly id: string;
  readonly slug: string;
  readonly joinCode: string;
  readonly manageKeyHash: Buffer;
};

export type VotedLimits = {
  /** How many polls votes may make, and how many options in each of them. */
  readonly pollsMax: number;
  readonly optionsMax: number;
};

export type PollsByVoteStore = {
  /**
   * Makes what is missing, all of it or nothing, and answers each poll as it then stands. A poll beyond the limit is not in the answer, nor is one whose
   * name is the id or slug of another; options beyond the limit are not in their polls. Calls wait for each other, on all servers.
   */
  make(wanted: readonly WantedPoll[], limits: VotedLimits): Promise<ReadonlyMap<string, Poll>>;
};

/** Slugs that presets give to polls of their own. */
const reservedSlugs: ReadonlySet<string> = new Set(['features', 'duel', 'election']);
/** A join code of six has 887 million values, so twice is rare already. */
const drawsMax = 10;

export function createPollsByVoteStore(pool: Pool, drawNames: (name: string) => DrawnNames): PollsByVoteStore {
  return {
    make: (wanted, limits) =>
      inTransaction(pool, async (client) => {
        // No schedule is changed and no poll is deleted beside it.
        await client.query('select lock_polls_by_vote(), lock_schedules_shared()');
        const names = wanted.map(({ name }) => name);
        await insertMissing(client, names, { drawNames, pollsMax: limits.pollsMax });
        await appendOptions(client, wanted, limits.optionsMax);
        return readMade(client, names);
      }),
  };
}

type Insertion = { readonly drawNames: (name: string) => DrawnNames; readonly pollsMax: number };

async function insertMissing(
  client: Queryable,
  names: readonly string[],
  { drawNames, pollsMax }: Insertion,
): Promise<void> {
  for (let draw = 1; draw <= drawsMax; draw += 1) {
    const missing = await findMissing(client, names);
    if (missing.length === 0) return;
    const room = pollsMax - (await countMade(client));
    if (room <= 0) return;
    const inserted = await insertPolls(client, missing.slice(0, room), (name) => {
      const drawn = drawNames(name);
      return draw === 1 && isSlug(name) && !reservedSlugs.has(name) ? { ...drawn, slug: name } : drawn;
    });
    if (inserted === missing.length) return;
  }
  throw new Error(`No free names for polls after ${drawsMax} draws.`);
}

/** Of these names, in their order, those that no poll has, neither as the id of its votes nor as its own id or slug. */
async function findMissing(client: Queryable, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select name
    from unnest($1::text[], $2::uuid[]) with ordinality as given (name, id, place)
    where not exists (select from polls where polls.made_as = given.name)
      and not exists (select from polls where polls.slug = given.name)
      and not exists (select from polls where polls.id = given.id)
    order by place`,
    [names, names.map(toPollName).map(({ by, name }) => (by === 'id' ? name : null))],
  );
  return rows.map(({ name }) => name);
}

async function countMade(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ count: number }>('select count from polls_by_vote');
  return rows[0]?.count ?? 0;
}

/**
 * Where another poll has one of the names already, nothing is inserted. Answers how many were. Open since a minute ago: no clock that stamps ballots is so far behind,
 * and the first of them must not come before the opening.
 */
async function insertPolls(
  client: Queryable,
  names: readonly string[],
  toNames: (name: string) => DrawnNames,
): Promise<number> {
  const drawn = names.map(toNames);
  const { rowCount } = await client.query(
    `with made as (
      insert into polls (
        id, slug, join_code, question, electorate, revote, visibility, selections_min, selections_max, listed, layout,
        opens_at, manage_key_hash, made_as
      )
      select
        id, slug, join_code, name, 'open', 'refuse', 'always', 1, 1, false, 'board',
        date_trunc('milliseconds', clock_timestamp()) - interval '1 minute', manage_key_hash, name
      from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
        as given (name, id, slug, join_code, manage_key_hash)
      on conflict do nothing
      returning poll_no
    ), counted as (
      update polls_by_vote
      set count = count + (select count(*) from made)
    )
    insert into poll_events (poll_no, event, detail)
    select poll_no, 'created', '{"by": "vote"}'
    from made`,
    [
      names,
      drawn.map(({ id }) => id),
      drawn.map(({ slug }) => slug),
      drawn.map(({ joinCode }) => joinCode),
      drawn.map(({ manageKeyHash }) => manageKeyHash),
    ],
  );
  return rowCount ?? 0;
}

/** New options get the next numbers, in the order in which they are wanted. A poll that had options already gets a new revision. */
async function appendOptions(client: Queryable, wanted: readonly WantedPoll[], optionsMax: number): Promise<void> {
  const pairs = wanted.flatMap(({ name, optionIds }) => optionIds.map((optionId) => ({ name, optionId })));
  await client.query(
    `with missing as (
      select polls.poll_no, given.option_id, row_number() over (partition by polls.poll_no order by given.place) as place
      from unnest($1::text[], $2::text[]) with ordinality as given (name, option_id, place)
      join polls on polls.made_as = given.name
      where not exists (select from options where options.poll_no = polls.poll_no and options.id = given.option_id)
    ), standing as (
      select poll_no, (select coalesce(max(option_no), 0) from options where options.poll_no = missing.poll_no) as last_no
      from missing
      group by poll_no
    ), added as (
      insert into options (poll_no, option_no, id, text)
      select poll_no, last_no + place, option_id, option_id
      from missing
      join standing using (poll_no)
      where last_no + place <= $3
      returning poll_no
    )
    update polls
    set revision = revision + 1
    from standing
    where polls.poll_no = standing.poll_no
      and standing.last_no > 0
      and exists (select from added where added.poll_no = polls.poll_no)`,
    [pairs.map(({ name }) => name), pairs.map(({ optionId }) => optionId), optionsMax],
  );
}

async function readMade(client: Queryable, names: readonly string[]): Promise<Map<string, Poll>> {
  const { rows } = await client.query<PollRow>(`select ${pollColumns} from polls where made_as = any ($1)`, [names]);
  return new Map(rows.map((row) => [row.made_as ?? '', toPoll(row)]));
}
