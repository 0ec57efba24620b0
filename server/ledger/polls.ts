/** Polls in the ledger: made, found, listed and changed. */
import { AppError } from '../errors.ts';
import { toUuidBytes, toUuidText } from '../lib/uuid-v7.ts';
import type { OptionDraft, PollDraft } from '../poll/check-poll.ts';
import type { Poll, PollTerms, Schedule } from '../poll/poll.ts';
import { pollColumns, toPoll, type PollRow } from './poll-rows.ts';
import { inTransaction, type Pool, type Queryable } from './postgres.ts';

export type NewPoll = PollDraft & {
  readonly id: Buffer;
  readonly slug: string;
  readonly joinCode: string;
  readonly manageKeyHash: Buffer;
};

/** What a change writes. A field that is left out stays as it is. */
export type PollChange = {
  readonly terms?: PollTerms;
  readonly schedule?: Schedule;
  readonly options?: readonly OptionDraft[];
  /** Whether ballots that were checked before the change must be checked again. */
  readonly changesForm?: boolean;
  /** The name of the change in the poll's log, and what it said. */
  readonly event: string;
  readonly detail?: object;
};

export type PollPage = { readonly limit: number; readonly beforePollNo: number | null };

export type PollStore = {
  /** Answers 'slug_taken' or 'join_code_taken' where another poll has that name already; then nothing is written. */
  insert(draft: NewPoll): Promise<Poll | 'slug_taken' | 'join_code_taken'>;
  find(name: PollName): Promise<Poll | null>;
  /** All polls that are not closed, for the start. */
  listUnclosed(): Promise<Poll[]>;
  /** Listed polls, newest first. */
  listNewest(page: PollPage): Promise<Poll[]>;
  /** The picture of a poll; null where it has none. */
  readLogo(pollNo: number): Promise<Logo | null>;
  /** Sets or takes away the picture, and answers the poll as it then stands. @throws {AppError} `poll_not_found` */
  writeLogo(pollNo: number, logo: Logo | null): Promise<Poll>;
  /** What was done to the poll, oldest first; at most the newest 1,000. */
  listEvents(pollNo: number): Promise<PollEvent[]>;
  /**
   * Changes one poll while no ballot is being recorded. `decide` sees the poll as it stands, the ledger's clock
   * (milliseconds) and whether a ballot exists. What it throws is passed on, and nothing is written.
   */
  change(pollNo: number, decide: (poll: Poll, now: number, hasBallots: boolean) => PollChange): Promise<Poll>;
};

export type Logo = { readonly type: string; readonly bytes: Buffer };

export type PollEvent = { readonly at: string; readonly event: string; readonly detail: object };

export type PollName = { readonly by: 'id' | 'slug' | 'join_code' | 'poll_no' | 'made_as'; readonly name: string };

const eventsMax = 1_000;
const uniqueViolation = '23505';

export function createPollStore(pool: Pool): PollStore {
  return {
    insert: (draft) => insertPoll(pool, draft),
    async find({ by, name }) {
      const { rows } = await pool.query<PollRow>(`select ${pollColumns} from polls where ${by} = $1`, [name]);
      return rows[0] === undefined ? null : toPoll(rows[0]);
    },
    async listUnclosed() {
      const { rows } = await pool.query<PollRow>(`
        select ${pollColumns}
        from polls
        where closes_at is null or closes_at > clock_timestamp()
        order by poll_no
      `);
      return rows.map(toPoll);
    },
    async listNewest({ limit, beforePollNo }) {
      const { rows } = await pool.query<PollRow>(
        `select ${pollColumns}
        from polls
        where listed and ($2::integer is null or poll_no < $2)
        order by poll_no desc
        limit $1`,
        [limit, beforePollNo],
      );
      return rows.map(toPoll);
    },
    async readLogo(pollNo) {
      const { rows } = await pool.query<{ logo: Buffer | null; logo_type: string | null }>(
        'select logo, logo_type from polls where poll_no = $1',
        [pollNo],
      );
      const { logo = null, logo_type: type = null } = rows[0] ?? {};
      return logo === null || type === null ? null : { type, bytes: logo };
    },
    writeLogo: (pollNo, logo) =>
      inTransaction(pool, async (client) => {
        await client.query('update polls set logo = $2, logo_type = $3, revision = revision + 1 where poll_no = $1', [
          pollNo,
          logo?.bytes ?? null,
          logo?.type ?? null,
        ]);
        const poll = await readPoll(client, pollNo);
        await insertEvent(client, pollNo, logo === null ? 'logo_removed' : 'logo_set', {});
        return poll;
      }),
    async listEvents(pollNo) {
      const { rows } = await pool.query<{ at: number; event: string; detail: object }>(
        `select at, event, detail
        from (select event_no, at, event, detail from poll_events where poll_no = $1 order by event_no desc limit $2) as newest
        order by event_no`,
        [pollNo, eventsMax],
      );
      return rows.map(({ at, event, detail }) => ({ at: new Date(at).toISOString(), event, detail }));
    },
    change: (pollNo, decide) => inTransaction(pool, (client) => changePoll(client, pollNo, decide)),
  };
}

async function insertPoll(pool: Pool, draft: NewPoll): Promise<Poll | 'slug_taken' | 'join_code_taken'> {
  try {
    return await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ poll_no: number }>(
        `insert into polls (
          id, slug, join_code, question, description, electorate, electorate_size, revote, visibility,
          selections_min, selections_max, listed, layout, color, embed_parents, opens_at, closes_at, manage_key_hash
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        returning poll_no`,
        [
          toUuidText(draft.id),
          draft.slug,
          draft.joinCode,
          ...toTermValues(draft),
          toTimestamp(draft.opensAt),
          toTimestamp(draft.closesAt),
          draft.manageKeyHash,
        ],
      );
      const pollNo = rows[0]?.poll_no ?? 0;
      await insertOptions(client, pollNo, draft.options);
      await insertEvent(client, pollNo, 'created', {});
      return readPoll(client, pollNo);
    });
  } catch (error) {
    const constraint = toTakenName(error);
    if (constraint === null) throw error;
    return constraint;
  }
}

function toTakenName(error: unknown): 'slug_taken' | 'join_code_taken' | null {
  if (!(error instanceof Error) || !('code' in error) || !('constraint' in error)) return null;
  if (error.code !== uniqueViolation) return null;
  if (error.constraint === 'polls_slug_key') return 'slug_taken';
  return error.constraint === 'polls_join_code_key' ? 'join_code_taken' : null;
}

async function changePoll(
  client: Queryable,
  pollNo: number,
  decide: (poll: Poll, now: number, hasBallots: boolean) => PollChange,
): Promise<Poll> {
  await client.query('select lock_schedules()');
  // Times are whole milliseconds: in the next one, every ballot counted so far lies before the change.
  await client.query('select pg_sleep(0.001)');
  const poll = await readPoll(client, pollNo);
  const { rows } = await client.query<{ now: number; has_ballots: boolean }>(
    `select date_trunc('milliseconds', clock_timestamp()) as now, exists (select from ballots where poll_no = $1) as has_ballots`,
    [pollNo],
  );
  const moment = rows[0] ?? { now: 0, has_ballots: true };
  const change = decide(poll, moment.now, moment.has_ballots);
  await client.query(
    `update polls
    set question = $2, description = $3, electorate = $4, electorate_size = $5, revote = $6, visibility = $7,
      selections_min = $8, selections_max = $9, listed = $10, layout = $11, color = $12, embed_parents = $13,
      opens_at = $14, closes_at = $15, paused_at = $16,
      revision = revision + 1, ballot_form = ballot_form + $17
    where poll_no = $1`,
    [
      pollNo,
      ...toTermValues(change.terms ?? poll),
      ...toScheduleValues(change.schedule ?? poll),
      change.changesForm === true ? 1 : 0,
    ],
  );
  if (change.options !== undefined) {
    await client.query('delete from options where poll_no = $1', [pollNo]);
    await insertOptions(client, pollNo, change.options);
  }
  await insertEvent(client, pollNo, change.event, change.detail ?? {});
  return readPoll(client, pollNo);
}

async function readPoll(client: Queryable, pollNo: number): Promise<Poll> {
  const { rows } = await client.query<PollRow>(`select ${pollColumns} from polls where poll_no = $1`, [pollNo]);
  if (rows[0] === undefined) throw new AppError('poll_not_found', 'The poll was deleted.');
  return toPoll(rows[0]);
}

async function insertOptions(client: Queryable, pollNo: number, options: readonly OptionDraft[]): Promise<void> {
  await client.query(
    `insert into options (poll_no, option_no, id, text, description)
    select $1, given.option_no, given.id, given.text, given.description
    from unnest($2::text[], $3::text[], $4::text[]) with ordinality as given (id, text, description, option_no)`,
    [
      pollNo,
      options.map(({ id }) => id),
      options.map(({ text }) => text),
      options.map(({ description }) => description),
    ],
  );
}

async function insertEvent(client: Queryable, pollNo: number, event: string, detail: object): Promise<void> {
  await client.query('insert into poll_events (poll_no, event, detail) values ($1, $2, $3)', [pollNo, event, detail]);
}

function toTermValues(terms: PollTerms): unknown[] {
  return [
    terms.question,
    terms.description,
    terms.electorate,
    terms.electorateSize,
    terms.revote,
    terms.visibility,
    terms.selectionsMin,
    terms.selectionsMax,
    terms.listed,
    terms.layout,
    terms.color,
    terms.embedParents,
  ];
}

function toScheduleValues(schedule: Schedule): unknown[] {
  return [toTimestamp(schedule.opensAt), toTimestamp(schedule.closesAt), toTimestamp(schedule.pausedAt)];
}

function toTimestamp(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

/** Whether the text of a poll's name is an id or a slug: no slug looks like an id. */
export function toPollName(name: string): PollName {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/iu.test(name) ? { by: 'id', name: toIdText(name) } : { by: 'slug', name };
}

/** A malformed id names no poll; all zeros is an id that no poll has. */
function toIdText(name: string): string {
  const bytes = toUuidBytes(name);
  return bytes.length === 16 ? toUuidText(bytes) : toUuidText(Buffer.alloc(16));
}
