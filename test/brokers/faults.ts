/** What befalls an installation, and how it is put up again. */
import { expect } from 'vitest';
import { query } from '../crash/evidence.ts';
import { kill, type Program } from '../crash/program.ts';
import { shuffled } from '../crash/random.ts';
import type { FailPoint, FailStep } from '../crash/worker-program.ts';
import type { BrokerName, Installation, Seat } from './installation.ts';

/**
 * `kill -9` of a server, of a worker, of a worker by itself between two steps of its work, of the broker, of PostgreSQL, of all of them at once; and a
 * worker that is asked to stop.
 */
export type FaultKind = 'server' | 'worker' | FailStep | 'broker' | 'postmaster' | 'everything' | 'stop worker';

type Counts = Readonly<Record<FaultKind, number>>;

const counts: Counts = {
  server: 3,
  worker: 2,
  recording: 2,
  committed: 2,
  acknowledging: 2,
  broker: 2,
  postmaster: 2,
  everything: 1,
  'stop worker': 1,
};

/** A group of Kafka waits for a dead worker until its session is over, and nobody records meanwhile: fewer of them, and more of the others. */
const kafkaCounts: Counts = {
  ...counts,
  server: 6,
  worker: 1,
  recording: 1,
  committed: 1,
  acknowledging: 1,
  postmaster: 3,
};

/** What befalls an installation with this broker, in no order. */
export function toFaultPlan(broker: BrokerName): FaultKind[] {
  const planned = Object.entries(broker === 'kafka' ? kafkaCounts : counts);
  return planned.flatMap(([kind, count]) => Array<FaultKind>(count).fill(kind as FaultKind)); // The keys of the record.
}

/** The faults after which every server still runs, so that everybody gets an answer. */
export function sparesServers(kind: FaultKind): boolean {
  return kind !== 'server' && kind !== 'everything';
}

/** Dies at about the tenth occasion. */
const failChance = 0.1;
const waitMsMax = 60_000;

/**
 * Resolves when the fault has struck, and PostgreSQL and the broker are back. Servers and workers start again meanwhile; a start finds both
 * there, because nobody strikes those before it is over.
 */
export async function strike(kind: FaultKind, installation: Installation, random: () => number): Promise<void> {
  const { broker, servers, workers } = installation;
  const any = (seats: readonly Seat[]): Seat => {
    const seat = seats[Math.floor(random() * seats.length)];
    if (seat === undefined) throw new Error('There is nobody to strike.');
    return seat;
  };
  switch (kind) {
    case 'server':
      return replace(any(servers), ({ pid }) => kill(pid));
    case 'worker':
      return replace(any(workers), ({ pid }) => kill(pid));
    case 'stop worker':
      return replace(any(workers.slice(0, 1)), ({ pid }) => kill(pid, 'SIGTERM'), [0, null]);
    case 'recording':
    case 'committed':
    case 'acknowledging': {
      const failPoint: FailPoint = { step: kind, chance: failChance, seed: Math.floor(random() * 1_000_000) };
      return replace(any(workers.slice(1)), ({ send }) => send(failPoint));
    }
    case 'broker':
      await untilAllReady(installation);
      await broker.kill();
      return broker.restart();
    case 'postmaster':
      await untilAllReady(installation);
      kill(await installation.readPostmasterPid());
      return untilPostgresAnswers(installation);
    case 'everything':
      return strikeEverything(installation, random);
  }
}

type Victim = { readonly pid: number; send(message: object): void };

/** Ends a process in some way, waits for its end and starts the next one. */
async function replace(
  seat: Seat,
  end: (victim: Victim) => void,
  status: readonly [number | null, string | null] = [null, 'SIGKILL'],
): Promise<void> {
  const { child, ended } = await seat.program();
  end({ pid: child.pid ?? 0, send: (message) => child.send(message) });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await expect.poll(isOver, { timeout: waitMsMax, interval: 5, message: `${seat.name} ends` }).toBe(true);
  await ended;
  expect([child.exitCode, child.signalCode], seat.name).toEqual(status);
  seat.start();
}

async function untilAllReady({ servers, workers }: Installation): Promise<Program[]> {
  return untilReady([...servers, ...workers]);
}

export async function untilReady(seats: readonly Seat[]): Promise<Program[]> {
  return Promise.all(seats.map((seat) => seat.program()));
}

async function strikeEverything(installation: Installation, random: () => number): Promise<void> {
  const { broker, servers, workers } = installation;
  const seats = [...servers, ...workers];
  const programs = await untilAllReady(installation);
  const postmaster = await installation.readPostmasterPid();
  const kills = [
    ...programs.map(
      ({ child }) =>
        () =>
          kill(child.pid ?? 0),
    ),
    () => kill(postmaster),
    broker.kill,
  ];
  await Promise.all(shuffled(kills, random).map(async (strikeOne) => strikeOne()));
  await Promise.all(programs.map(({ ended }) => ended));
  await Promise.all([broker.restart(), untilPostgresAnswers(installation)]);
  for (const seat of seats) seat.start();
}

async function untilPostgresAnswers({ ledger }: Installation): Promise<void> {
  const answers = (): Promise<boolean> =>
    query(ledger, 'select 1').then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: waitMsMax, interval: 50 }).toBe(true);
}

/** Nothing has ended that was not struck. */
export async function expectAllAlive(installation: Installation): Promise<void> {
  for (const { child } of await untilAllReady(installation)) {
    expect([child.exitCode, child.signalCode], `${child.spawnargs.join(' ')} lives`).toEqual([null, null]);
  }
}
