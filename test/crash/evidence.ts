/** What the ledger and every surface say at rest, for the checker. Knows the tables and the interfaces, and no code of the server. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { get } from '../support/http.ts';
import type { LedgerRow, PollFacts, Surface } from './checker.ts';
import type { CrashPoll } from './clients.ts';
import type { Entry } from './history.ts';

type Count = { readonly poll: string; readonly option: string; readonly votes: number };

/** Where the database stands: a folder with its socket. */
export type Ledger = { readonly host: string };

export async function query<Row extends pg.QueryResultRow>({ host }: Ledger, text: string): Promise<Row[]> {
  const client = new pg.Client({ host, user: 'hustings', database: 'hustings', ssl: false });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

type StoredRow = Omit<LedgerRow, 'user' | 'key'> & {
  readonly pollId: string;
  readonly electorate: string;
  readonly voterKey: string;
  readonly retryKey: string | null;
};

/** Every accepted ballot once. A counted ballot that the history does not have as it counts is a row of its own. */
export async function readLedger(ledger: Ledger, history: readonly Entry[]): Promise<LedgerRow[]> {
  const columns = `polls.slug as poll, polls.id as "pollId", electorate, options.id as option,
    replace(each.ballot_id::text, '-', '') as id, each.ballot_id as "ballotId",
    replace(each.voter_key::text, '-', '') as "voterKey", replace(each.retry_key::text, '-', '') as "retryKey",
    to_char(each.cast_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "castAt"`;
  const joins = `join polls using (poll_no)
    left join options on options.poll_no = each.poll_no and options.option_no::text = each.selections`;
  const isSame = `same.poll_no = each.poll_no and same.voter_key = each.voter_key
    and same.ballot_id = each.ballot_id and same.cast_at = each.cast_at and same.selections = each.selections`;
  const rows = await query<StoredRow>(
    ledger,
    `select ${columns}, exists (select from ballots as same where ${isSame}) as counted
    from ballot_history as each ${joins}
    union all
    select ${columns}, true
    from ballots as each ${joins}
    where not exists (select from ballot_history as same where ${isSame})`,
  );
  const [secret] = await query<{ value: Buffer }>(ledger, "select value from secrets where name = 'voter_key'");
  return toNamedRows(rows, history, secret?.value.toString('hex') ?? '');
}

/** Hashes what clients sent in the way that the ledger's rows are hashed, and looks the rows up. */
function toNamedRows(rows: readonly StoredRow[], history: readonly Entry[], secret: string): LedgerRow[] {
  const names = new Map<string, string>();
  const pollIds = new Map(rows.map(({ poll, pollId }) => [poll, pollId]));
  for (const entry of history) {
    const pollId = pollIds.get(entry.kind === 'sent' ? entry.poll : '');
    if (entry.kind !== 'sent' || pollId === undefined) continue;
    names.set(toHash(secret, 'retry', pollId, entry.key), entry.key);
    if (entry.user !== null) names.set(toHash(secret, 'declared', pollId, entry.user), entry.user);
  }
  return rows.map(({ voterKey, retryKey, electorate, ballotId, poll, option, castAt, counted }) => {
    const voter = names.get(voterKey) ?? voterKey;
    const key = retryKey === null ? null : (names.get(retryKey) ?? retryKey);
    const who = electorate === 'open' ? { user: null, key: voter } : { user: voter, key };
    return { ...who, ballotId, poll, option: option ?? '', castAt, counted };
  });
}

function toHash(secret: string, purpose: string, pollId: string, identity: string): string {
  return createHash('sha256').update(`${secret}\n${purpose}\n${pollId}\n${identity}`).digest('hex').slice(0, 32);
}

/** The surfaces that must show each poll. */
export function toFacts({ poll, policy, options }: CrashPoll, polls: readonly CrashPoll[]): PollFacts {
  const isBoard = polls.some((each) => each.poll === poll && each.door === 'features');
  const surfaces = ['REST', 'party', 'tallies', 'tally_seconds', ...(isBoard ? ['features'] : [])];
  return { poll, policy, options, surfaces };
}

export async function readSurfaces(url: string, ledger: Ledger, polls: readonly CrashPoll[]): Promise<Surface[]> {
  const tables = await Promise.all(['tallies', 'tally_seconds'].map((table) => readTable(ledger, table, polls)));
  const shown = await Promise.all(polls.map((poll) => readPoll(url, poll)));
  return [...tables, ...shown].flat();
}

/** What a table does not name is zero. */
async function readTable(ledger: Ledger, table: string, polls: readonly CrashPoll[]): Promise<Surface[]> {
  const counts = await query<Count>(
    ledger,
    `select polls.slug as poll, options.id as option, sum(votes)::integer as votes
    from ${table} join polls using (poll_no) join options using (poll_no, option_no)
    group by 1, 2`,
  );
  return polls.map(({ poll, options }) => {
    const votesOf = (option: string): number =>
      counts.find((count) => count.poll === poll && count.option === option)?.votes ?? 0;
    return { name: table, poll, counts: Object.fromEntries(options.map((option) => [option, votesOf(option)])) };
  });
}

async function readPoll(url: string, { poll, id, options, door }: CrashPoll): Promise<Surface[]> {
  // The shapes are what other tests check.
  const tally = (await get(`${url}/api/v1/polls/${id}/tally`)).json as {
    counts: { optionId: string; votes: number }[];
  };
  const party = (await get(`${url}/polls/${id}`)).json as { options: { option_id: string; vote_count: number }[] };
  const surfaces: Surface[] = [
    { name: 'REST', poll, counts: Object.fromEntries(tally.counts.map(({ optionId, votes }) => [optionId, votes])) },
    {
      name: 'party',
      poll,
      counts: Object.fromEntries(party.options.map((option) => [option.option_id, option.vote_count])),
    },
  ];
  if (door !== 'features') return surfaces;
  const board = (await get(`${url}/result`)).json as { features: { cumulative_vote_count: number }[] };
  const counts = board.features.map((feature, index) => [options[index] ?? '', feature.cumulative_vote_count] as const);
  return [...surfaces, { name: 'features', poll, counts: Object.fromEntries(counts) }];
}
