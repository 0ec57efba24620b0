import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { cleanUp, makeFolder } from '../../server/ledger/embedded/test-support.ts';
import { check, type Fault } from './checker.ts';
import { startClients, type Clients } from './clients.ts';
import { keepHistory, query, readLedger, readSurfaces, toFacts, type Ledger } from './evidence.ts';
import { startManagers } from './managers.ts';
import { createPolls } from './polls.ts';
import { kill, readBackendPids, readPostmasterPid, startProgram, type ServerProgram } from './program.ts';
import { createRandom, pickSeed, shuffled } from './random.ts';

/** kill -9 of the server, of the database's first process, of any other process of it, of all of them; and a request to stop. */
const faultKinds = ['server', 'postmaster', 'backend', 'everything', 'stop'] as const;
type FaultKind = (typeof faultKinds)[number];

const roundCount = 5;
const clientCount = 64;
const managerCount = 2;
/** Acknowledged ballots before each fault: it strikes a server that is at work, at a moment drawn by lot. */
const acknowledgedMin = 50;
const acknowledgedMax = 400;
/** More than 20 starts, each on what a kill has left. It takes 60 s here, and 160 s on half of the cores beside another program. */
const testMsMax = 600_000;

let program: ServerProgram | null = null;

afterEach(async () => {
  kill(program?.child.pid ?? 0);
  await program?.ended;
  program = null;
  await cleanUp();
});

test(
  'kills under load lose no acknowledged ballot, double none and leave every surface right',
  async () => {
    const seed = pickSeed();
    console.log(`crash test with HUSTINGS_CRASH_SEED=${seed}`);
    const random = createRandom(seed);
    const dataFolder = await makeFolder();
    const ledger = { host: path.join(dataFolder, 'postgres') };
    const port = await findFreePort();
    program = await startProgram(dataFolder, port);
    const { url } = program;
    const polls = await createPolls(url);
    const clients = startClients({ urls: [url], polls, count: clientCount, random });
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
      acknowledges: 'outcome',
      refusals: [],
      told: [],
      reads: [],
      followed: [],
    } as const;
    const atRest = check({ ...evidence, surfaces: await readSurfaces([url], ledger, polls) });
    program = await restart('stop', program, dataFolder, port, () => kill(program?.child.pid ?? 0, 'SIGTERM'));
    const afterRestart = check({ ...evidence, surfaces: await readSurfaces([url], ledger, polls) });
    await keepHistory(seed, history, [...atRest, ...afterRestart]);
    expect(atRest).toEqual([]);
    expect(afterRestart).toEqual([]);
    expect(await readLostPolls(ledger, managers.questions)).toEqual([]);
    const requests = history.filter(({ kind }) => kind === 'sent').length;
    console.log(
      `${faults.length} kills, ${requests} requests, ${clients.acknowledged()} acknowledged, ${evidence.ledger.length} ballots`,
    );
  },
  testMsMax,
);

async function strike(
  kind: FaultKind,
  { child }: ServerProgram,
  dataFolder: string,
  random: () => number,
): Promise<void> {
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
  { child, ended }: ServerProgram,
  dataFolder: string,
  port: number,
  stop: () => void = () => undefined,
): Promise<ServerProgram> {
  stop();
  await ended;
  expect([child.exitCode, child.signalCode], kind).toEqual(kind === 'stop' ? [0, null] : [null, 'SIGKILL']);
  return startProgram(dataFolder, port);
}

/** A server whose database was killed lives on, and answers those who were waiting. */
async function expectSurvived(
  { child }: ServerProgram,
  { history }: Clients,
  struck: readonly number[],
): Promise<void> {
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
async function untilAcknowledged({ acknowledged }: Clients, { child }: ServerProgram, count: number): Promise<void> {
  const countMin = acknowledged() + count;
  const isDone = (): boolean => acknowledged() >= countMin || child.exitCode !== null;
  await expect.poll(isDone, { timeout: 60_000, interval: 1 }).toBe(true);
  expectAlive({ child });
}

function expectAlive({ child }: Pick<ServerProgram, 'child'>): void {
  expect([child.exitCode, child.signalCode], 'the server lives').toEqual([null, null]);
}
