import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { cleanUp, makeFolder } from '../../server/ledger/embedded/test-support.ts';
import { createPoll, get, post } from '../support/http.ts';
import { check, type Fault } from './checker.ts';
import { startClients, type Clients, type CrashPoll } from './clients.ts';
import { query, readLedger, readSurfaces, toFacts, type Ledger } from './evidence.ts';
import type { Entry } from './history.ts';
import { startManagers } from './managers.ts';
import { kill, readBackendPids, readPostmasterPid, startProgram, type Program } from './program.ts';

/** kill -9 of the server, of the database's first process, of any other process of it, of all of them; and a request to stop. */
const faultKinds = ['server', 'postmaster', 'backend', 'everything', 'stop'] as const;
type FaultKind = (typeof faultKinds)[number];

const roundCount = 5;
const clientCount = 64;
const managerCount = 2;
/** Acknowledged ballots before each fault: it strikes a server that is at work, at a moment drawn by lot. */
const acknowledgedMin = 50;
const acknowledgedMax = 400;

let program: Program | null = null;

afterEach(async () => {
  kill(program?.child.pid ?? 0);
  await program?.ended;
  program = null;
  await cleanUp();
});

test('kills under load lose no acknowledged ballot, double none and leave every surface right', async () => {
  const seed = Number(process.env['HUSTINGS_CRASH_SEED'] ?? Date.now() % 1_000_000);
  console.log(`crash test with HUSTINGS_CRASH_SEED=${seed}`);
  const random = createRandom(seed);
  const dataFolder = await makeFolder();
  const ledger = { host: path.join(dataFolder, 'postgres') };
  const port = await findFreePort();
  program = await startProgram(dataFolder, port);
  const { url } = program;
  const polls = await createPolls(url);
  const clients = startClients({ url, polls, count: clientCount, random });
  const managers = startManagers(url, managerCount);
  const faults: Fault[] = [];
  for (const kind of shuffled(Array.from({ length: roundCount }, () => faultKinds).flat(), random)) {
    const count = acknowledgedMin + Math.floor(random() * (acknowledgedMax - acknowledgedMin));
    await untilAcknowledged(clients, program, count);
    const struck = clients.underWay();
    faults.push({ kind, underWay: struck.length });
    await strike(kind, program, dataFolder, random);
    if (kind === 'postmaster' || kind === 'backend') await expectSurvived(program, clients, struck);
    else program = await restart(kind, program, dataFolder, port);
  }
  await untilAcknowledged(clients, program, acknowledgedMin);
  await Promise.all([clients.stop(), managers.stop()]);
  await clients.retryAll();

  const { history } = clients;
  const evidence = {
    history,
    ledger: await readLedger(ledger, history),
    polls: polls.map((poll) => toFacts(poll, polls)),
    faults,
    faultsMin: 20,
    acknowledgedMin: faults.length * acknowledgedMin,
  };
  const atRest = check({ ...evidence, surfaces: await readSurfaces(url, ledger, polls) });
  program = await restart('stop', program, dataFolder, port, () => kill(program?.child.pid ?? 0, 'SIGTERM'));
  const afterRestart = check({ ...evidence, surfaces: await readSurfaces(url, ledger, polls) });
  await keepHistory(seed, history, [...atRest, ...afterRestart]);
  expect(atRest).toEqual([]);
  expect(afterRestart).toEqual([]);
  expect(await readLostPolls(ledger, managers.questions)).toEqual([]);
  const requests = history.filter(({ kind }) => kind === 'sent').length;
  console.log(
    `${faults.length} kills, ${requests} requests, ${clients.acknowledged()} acknowledged, ${evidence.ledger.length} ballots`,
  );
}, 240_000);

/** One poll that most go to, and many others: each policy through each interface that has it. */
async function createPolls(url: string): Promise<CrashPoll[]> {
  const made = await Promise.all([
    createCrashPoll(url, 'refuse', { slug: 'hot' }, 12),
    createCrashPoll(url, 'replace', { slug: 'hot-and-changing', revote: 'replace' }, 6),
    ...Array.from({ length: 6 }, () => createCrashPoll(url, 'refuse', {}, 1)),
    ...Array.from({ length: 6 }, () => createCrashPoll(url, 'replace', { revote: 'replace' }, 1)),
    ...Array.from({ length: 3 }, () => createCrashPoll(url, 'open', { electorate: 'open' }, 1)),
    createPartyPoll(url),
  ]);
  const board: CrashPoll = {
    poll: 'features',
    id: await readId(url, 'features'),
    policy: 'open',
    door: 'features',
    options: ['1', '2', '3'],
    weight: 3,
  };
  return [...made, board];
}

async function createCrashPoll(
  url: string,
  policy: CrashPoll['policy'],
  fields: object,
  weight: number,
): Promise<CrashPoll> {
  const { id, slug, options } = await createPoll(url, fields);
  return { poll: slug, id, policy, door: 'rest', options: options.map((option) => option.id), weight };
}

async function createPartyPoll(url: string): Promise<CrashPoll> {
  const body = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'], expired_at: '2999-01-01T00:00:00Z' };
  const party = (await post(`${url}/polls`, body)).json as { id: string; options: { option_id: string }[] };
  const { slug } = (await get(`${url}/api/v1/polls/${party.id}`)).json as { slug: string };
  const options = party.options.map((option) => option.option_id);
  return { poll: slug, id: party.id, policy: 'refuse', door: 'party', options, weight: 3 };
}

async function readId(url: string, slug: string): Promise<string> {
  return ((await get(`${url}/api/v1/polls/${slug}`)).json as { id: string }).id;
}

async function strike(kind: FaultKind, { child }: Program, dataFolder: string, random: () => number): Promise<void> {
  const postmaster = await readPostmasterPid(dataFolder);
  const backends = await readBackendPids(postmaster);
  const server = child.pid ?? 0;
  if (kind === 'server') kill(server);
  if (kind === 'stop') kill(server, 'SIGTERM');
  if (kind === 'postmaster') kill(postmaster);
  if (kind === 'backend') kill(backends[Math.floor(random() * backends.length)] ?? postmaster);
  if (kind === 'everything') for (const pid of shuffled([server, postmaster, ...backends], random)) kill(pid);
}

async function restart(
  kind: FaultKind,
  { child, ended }: Program,
  dataFolder: string,
  port: number,
  stop: () => void = () => undefined,
): Promise<Program> {
  stop();
  await ended;
  expect([child.exitCode, child.signalCode], kind).toEqual(kind === 'stop' ? [0, null] : [null, 'SIGKILL']);
  return startProgram(dataFolder, port);
}

/** A server whose database was killed lives on, and answers those who were waiting. */
async function expectSurvived({ child }: Program, { history }: Clients, struck: readonly number[]): Promise<void> {
  const answers = (): (boolean | undefined)[] => {
    const ends = new Map(history.flatMap((entry) => (entry.kind === 'ended' ? [[entry.no, entry.answered]] : [])));
    return struck.map((no) => ends.get(no));
  };
  await expect.poll(answers, { timeout: 30_000, interval: 20 }).not.toContain(undefined);
  expectAlive({ child });
  expect(answers()).not.toContain(false);
}

/** Polls that are not in the ledger as their manager was told. */
async function readLostPolls(ledger: Ledger, questions: ReadonlyMap<string, string>): Promise<string[]> {
  const rows = await query<{ id: string; question: string }>(ledger, 'select id, question from polls');
  const stored = new Map(rows.map(({ id, question }) => [id, question]));
  expect(questions.size).toBeGreaterThan(roundCount);
  return [...questions].flatMap(([id, question]) => (stored.get(id) === question ? [] : [question]));
}

/** So many more ballots, by a server that lives. */
async function untilAcknowledged({ acknowledged }: Clients, { child }: Program, count: number): Promise<void> {
  const countMin = acknowledged() + count;
  const isDone = (): boolean => acknowledged() >= countMin || child.exitCode !== null;
  await expect.poll(isDone, { timeout: 60_000, interval: 1 }).toBe(true);
  expectAlive({ child });
}

function expectAlive({ child }: Pick<Program, 'child'>): void {
  expect([child.exitCode, child.signalCode], 'the server lives').toEqual([null, null]);
}

/** What the clients saw is kept only where something is wrong with it. */
async function keepHistory(seed: number, history: readonly Entry[], violations: readonly string[]): Promise<void> {
  if (violations.length === 0) return;
  const folder = path.resolve(import.meta.dirname, '../../test-results');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `crash-${seed}.jsonl`);
  await writeFile(file, history.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  console.log(`the history of the clients is in ${file}`);
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
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
