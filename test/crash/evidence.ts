/** What the ledger and every surface say at rest, for the checker. Knows the tables and the interfaces, and no code of the server. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { get } from '../support/http.ts';
import type { LedgerRow, PollFacts, Refusal, Surface, Told } from './checker.ts';
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

type StoredRow = Omit<LedgerRow, 'user' | 'key' | 'option'> & {
  readonly option: string | null;
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
    each.accepted_us::float8 as "acceptedUs",
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
  return rows.map(({ voterKey, retryKey, electorate, pollId: _pollId, ...row }) => {
    const voter = names.get(voterKey) ?? voterKey;
    const key = retryKey === null ? null : (names.get(retryKey) ?? retryKey);
    const who = electorate === 'open' ? { user: null, key: voter } : { user: voter, key };
    return { ...row, ...who, option: row.option ?? '' };
  });
}

function toHash(secret: string, purpose: string, pollId: string, identity: string): string {
  return createHash('sha256').update(`${secret}\n${purpose}\n${pollId}\n${identity}`).digest('hex').slice(0, 32);
}

/** The ballots that were refused when they were recorded. */
export async function readRefusals(ledger: Ledger): Promise<Refusal[]> {
  return query<Refusal>(ledger, 'select ballot_id as "ballotId", reason from ballot_refusals');
}

/** What a server says of each of these ballots. */
export async function readTold(url: string, ballotIds: readonly string[]): Promise<Told[]> {
  const waiting = [...ballotIds];
  const told: Told[] = [];
  const ask = async (): Promise<void> => {
    for (let ballotId = waiting.pop(); ballotId !== undefined; ballotId = waiting.pop()) {
      const { json } = await get(`${url}/api/v1/ballots/${ballotId}`);
      told.push({ ballotId, status: (json as { status: string }).status }); // The shape is what the tests of the API check.
    }
  };
  await Promise.all(Array.from({ length: askersCount }, ask));
  return told;
}

const askersCount = 32;

/** The surfaces that must show each poll, on each of so many servers. */
export function toFacts({ poll, policy, options }: CrashPoll, polls: readonly CrashPoll[], serverCount = 1): PollFacts {
  const isBoard = polls.some((each) => each.poll === poll && each.door === 'features');
  const doors = ['REST', 'party', ...(isBoard ? ['features'] : [])];
  const shown = Array.from({ length: serverCount }, (_, index) => doors.map((door) => toSurfaceName(door, index)));
  return { poll, policy, options, surfaces: ['tallies', 'tally_seconds', ...shown.flat()] };
}

function toSurfaceName(door: string, serverIndex: number): string {
  return `${door} of server ${serverIndex + 1}`;
}

export async function readSurfaces(
  urls: readonly string[],
  ledger: Ledger,
  polls: readonly CrashPoll[],
): Promise<Surface[]> {
  const tables = await Promise.all(['tallies', 'tally_seconds'].map((table) => readTable(ledger, table, polls)));
  const shown = await Promise.all(
    urls.map(async (url, index) => {
      const surfaces = await Promise.all(polls.map((poll) => readPoll(url, poll)));
      return surfaces.flat().map((surface) => ({ ...surface, name: toSurfaceName(surface.name, index) }));
    }),
  );
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

/** What the clients saw is kept only where something is wrong with it. */
export async function keepHistory(
  name: string | number,
  history: readonly Entry[],
  violations: readonly string[],
): Promise<void> {
  if (violations.length === 0) return;
  const folder = path.resolve(import.meta.dirname, '../../test-results');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `crash-${name}.jsonl`);
  await writeFile(file, history.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  console.log(`the history of the clients is in ${file}`);
}
