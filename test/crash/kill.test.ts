import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { createPoll } from '../support/http.ts';
import { check, type Evidence, type LedgerRow, type Operation, type Surface } from './checker.ts';
import { sendCast, startClients, type Clients, type CrashPoll } from './clients.ts';
import { kill, readBackendPids, readPostmasterPid, startProgram, type Program } from './program.ts';

const faults = ['server', 'postmaster', 'backend', 'everything', 'stop'] as const;
type Fault = (typeof faults)[number];

const killsMin = 20;
const clientCount = 64;
/** Acknowledged ballots before each fault, so that it strikes a server that is at work. */
const acknowledgedBetween = 200;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test('twenty kills under load lose no acknowledged ballot, double none and leave every tally right', async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`crash test with seed ${seed}`);
  const random = createRandom(seed);
  const dataFolder = await makeFolder();
  const port = await findFreePort();
  let program = await startProgram(dataFolder, port);
  cleanUps.push(() => killAll(program, dataFolder));
  const polls = await createPolls(program.url);
  const clients = startClients(program.url, polls, clientCount, random);
  const underWayAtFault: number[] = [];
  for (let round = 0; round < killsMin; round += 1) {
    await untilAcknowledged(clients, clients.acknowledged() + acknowledgedBetween);
    const fault = faults[round % faults.length] ?? 'server';
    underWayAtFault.push(clients.underWay());
    await strike(fault, program, dataFolder);
    if (fault === 'postmaster' || fault === 'backend') {
      expect(program.child.exitCode, `the server outlives the ${fault}`).toBeNull();
    } else {
      await program.ended;
      program = await startProgram(dataFolder, port);
    }
  }
  await untilAcknowledged(clients, clients.acknowledged() + acknowledgedBetween);
  await clients.stop();

  const retried = await retryAll(program.url, polls, clients.operations);
  const evidence = await gather(program.url, dataFolder, polls, [...clients.operations, ...retried], underWayAtFault);
  expect(check(evidence)).toEqual([]);
  console.log(
    `${underWayAtFault.length} kills, ${evidence.operations.length} requests, ${evidence.ledger.length} ballots`,
  );
}, 600_000);

async function createPolls(url: string): Promise<CrashPoll[]> {
  const kinds = [
    { policy: 'refuse', fields: {} },
    { policy: 'replace', fields: { revote: 'replace' } },
    { policy: 'open', fields: { electorate: 'open' } },
  ] as const;
  return Promise.all(
    Array.from({ length: 9 }, async (_, index) => {
      const kind = kinds[index % kinds.length] ?? kinds[0];
      const { id, slug } = await createPoll(url, kind.fields);
      return { id, slug, policy: kind.policy };
    }),
  );
}

async function strike(fault: Fault, { child }: Program, dataFolder: string): Promise<void> {
  const postmaster = await readPostmasterPid(dataFolder);
  const backends = await readBackendPids(postmaster);
  if (fault === 'server') kill(child.pid ?? 0);
  if (fault === 'stop') kill(child.pid ?? 0, 'SIGTERM');
  if (fault === 'postmaster') kill(postmaster);
  if (fault === 'backend') kill(backends.at(-1) ?? postmaster);
  if (fault === 'everything') for (const pid of [child.pid ?? 0, postmaster, ...backends]) kill(pid);
}

/** Every acknowledged key once more: the receipt must be the same, also for a ballot that was superseded since. */
async function retryAll(
  url: string,
  polls: readonly CrashPoll[],
  operations: readonly Operation[],
): Promise<Operation[]> {
  const idOf = new Map(polls.map(({ slug, id }) => [slug, id]));
  const acknowledged = [
    ...new Map(operations.filter(({ outcome }) => outcome === 'ok').map((each) => [each.key, each])).values(),
  ];
  const retried: Operation[] = [];
  while (acknowledged.length > 0) {
    const some = acknowledged.splice(0, clientCount);
    retried.push(
      ...(await Promise.all(some.map((cast) => sendCast(url, { ...cast, pollId: idOf.get(cast.poll) ?? '' })))),
    );
  }
  expect(retried.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
  return retried;
}

async function gather(
  url: string,
  dataFolder: string,
  polls: readonly CrashPoll[],
  operations: readonly Operation[],
  faultsUnderWay: readonly number[],
): Promise<Evidence> {
  const client = new pg.Client({ host: path.join(dataFolder, 'postgres'), user: 'hustings', database: 'hustings' });
  await client.connect();
  try {
    const columns = `ballot_id as "ballotId", polls.slug as poll, voter_key as "voterKey", selections as option,
      to_char(cast_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "castAt"`;
    const { rows: ledger } = await client.query<LedgerRow>(`
      select ${columns}, true as counted from ballots join polls using (poll_no)
      union all
      select ${columns}, false from ballot_history join polls using (poll_no)
      where not exists (select from ballots where ballots.ballot_id = ballot_history.ballot_id)`);
    const { rows: tallied } = await client.query<{ poll: string; option: string; votes: string }>(`
      select polls.slug as poll, option_no::text as option, sum(votes) as votes
      from tallies join polls using (poll_no) group by 1, 2`);
    const { rows: timed } = await client.query<{ poll: string; option: string; votes: string }>(`
      select polls.slug as poll, option_no::text as option, sum(votes) as votes
      from tally_seconds join polls using (poll_no) group by 1, 2`);
    const toSurface = (name: string) => (row: { poll: string; option: string; votes: string }) => ({
      name,
      poll: row.poll,
      counts: { [row.option]: Number(row.votes) },
    });
    const surfaces = [
      ...tallied.map(toSurface('tallies')),
      ...timed.map(toSurface('tally_seconds')),
      ...(await readSurfaces(url, polls)),
    ];
    return { operations, ledger, surfaces, faults: faultsUnderWay, acknowledgedMin: killsMin * acknowledgedBetween };
  } finally {
    await client.end();
  }
}

async function readSurfaces(url: string, polls: readonly CrashPoll[]): Promise<Surface[]> {
  const surfaces: Surface[] = [];
  for (const { id, slug } of polls) {
    const tally = (await (await fetch(`${url}/api/v1/polls/${id}/tally`)).json()) as {
      counts: { optionId: string; votes: number }[];
    };
    surfaces.push({
      name: 'REST',
      poll: slug,
      counts: Object.fromEntries(tally.counts.map(({ optionId, votes }) => [optionId, votes])),
    });
    const party = (await (await fetch(`${url}/polls/${id}`)).json()) as {
      options: { option_id: string; vote_count: number }[];
    };
    const counts = Object.fromEntries(party.options.map((option) => [option.option_id, option.vote_count]));
    surfaces.push({ name: 'party', poll: slug, counts });
  }
  return surfaces;
}

async function untilAcknowledged(clients: Clients, count: number): Promise<void> {
  await expect.poll(clients.acknowledged, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(count);
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-crash-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function killAll({ child, ended }: Program, dataFolder: string): Promise<void> {
  if (child.exitCode === null) kill(child.pid ?? 0, 'SIGTERM');
  await ended;
  const postmaster = await readPostmasterPid(dataFolder).catch(() => null);
  if (postmaster !== null) kill(postmaster, 'SIGQUIT');
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** mulberry32: small, seeded, good enough to mix requests. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
