/** Clients at an installation, and what the checker says of it when they have gone. */
import { expect } from 'vitest';
import { check, type Evidence, type Fault } from '../crash/checker.ts';
import { startClients, type Clients, type CrashPoll } from '../crash/clients.ts';
import { keepHistory, readLedger, readRefusals, readSurfaces, readTold, toFacts } from '../crash/evidence.ts';
import { createPolls } from '../crash/polls.ts';
import { startWatchers, type Watchers } from '../crash/watchers.ts';
import type { Installation } from './installation.ts';

export type Load = {
  readonly polls: readonly CrashPoll[];
  readonly clients: Clients;
  readonly watchers: Watchers;
};

export type Expected = Pick<Evidence, 'faultsMin' | 'acknowledgedMin'> & { readonly faults: readonly Fault[] };

const clientCount = 48;
/** Between two requests of a client: enough of them are under way, and those who answer have time to. */
const thinkMs = 80;
/** A group of Kafka stands still for seconds when a worker dies. What is accepted meanwhile has to be caught up with. */
const kafkaThinkMs = 240;
/** Longer than any answer may take. */
const answerMsMax = 10_000;
const drainMsMax = 30_000;
const drainPauseMs = 100;
/** How long surfaces and streams may take to show what the ledger has. */
const settleMsMax = 30_000;
const waitMsMax = 60_000;
const shownMax = 20;

export async function startLoad({ urls, broker }: Installation, random: () => number): Promise<Load> {
  const polls = await createPolls(urls[0] ?? '');
  const clients = startClients({
    urls,
    polls,
    count: clientCount,
    random,
    thinkMs: broker.name === 'kafka' ? kafkaThinkMs : thinkMs,
    answerMsMax,
  });
  const watchers = startWatchers({ urls, polls: polls.slice(0, 2), history: clients.history });
  return { polls, clients, watchers };
}

/** So many more ballots. */
export async function untilAcknowledged({ acknowledged }: Clients, count: number): Promise<void> {
  const countMin = acknowledged() + count;
  await expect.poll(acknowledged, { timeout: waitMsMax, interval: 2 }).toBeGreaterThanOrEqual(countMin);
}

/** The requests under way at a moment when there are some, all of them sent from now on. */
export async function whileUnderWay({ underWay }: Clients): Promise<number[]> {
  const before = new Set(underWay());
  let struck: number[] = [];
  const pickStruck = (): number[] => underWay().filter((no) => !before.has(no));
  await expect.poll(() => (struck = pickStruck()).length, { timeout: waitMsMax, interval: 1 }).toBeGreaterThan(0);
  return struck;
}

/** Each of these requests gets an answer over HTTP, whatever it says. */
export async function expectAnswered({ history }: Clients, requests: readonly number[]): Promise<void> {
  const answers = (): (boolean | undefined)[] => {
    const ends = new Map(history.flatMap((entry) => (entry.kind === 'ended' ? [[entry.no, entry.answered]] : [])));
    return requests.map((no) => ends.get(no));
  };
  await expect.poll(answers, { timeout: 2 * answerMsMax, interval: 20 }).not.toContain(undefined);
  expect(answers()).not.toContain(false);
}

/** Ends the load, waits for every outcome, sends everything once more, and expects that no invariant is broken. */
export async function expectSound(
  installation: Installation,
  load: Load,
  { name, ...expected }: Expected & { readonly name: string },
): Promise<void> {
  const { clients, watchers } = load;
  await clients.stop();
  const late = await drain(installation, clients);
  await clients.retryAll();
  await drain(installation, clients);
  const violations = [...late, ...(await untilSound(installation, load, expected))];
  await watchers.stop();
  await keepHistory(name, clients.history, violations);
  expect(violations.slice(0, shownMax), `${violations.length} violations`).toEqual([]);
}

/** Waits until a server tells an outcome for every receipt (I13). Answers which have none in time. */
async function drain({ urls }: Installation, clients: Clients): Promise<string[]> {
  const until = performance.now() + drainMsMax;
  for (let open = clients.ballotIds(); ;) {
    const told = await readTold(urls[0] ?? '', open);
    open = told.filter(({ status }) => isOnItsWay(status)).map(({ ballotId }) => ballotId);
    if (open.length === 0) return [];
    if (performance.now() > until) return open.map((ballotId) => `I13: the ballot ${ballotId} has no outcome.`);
    await new Promise((resolve) => setTimeout(resolve, drainPauseMs));
  }
}

function isOnItsWay(status: string): boolean {
  return status === 'received' || status === 'validating';
}

/** The violations, when there are none or when the time is over that surfaces have. */
async function untilSound(installation: Installation, load: Load, expected: Expected): Promise<string[]> {
  const until = performance.now() + settleMsMax;
  for (;;) {
    const violations = check(await readEvidence(installation, load, expected));
    if (violations.length === 0 || performance.now() > until) return violations;
  }
}

async function readEvidence(
  { urls, ledger }: Installation,
  { polls, clients, watchers }: Load,
  expected: Expected,
): Promise<Evidence> {
  const { history } = clients;
  return {
    ...expected,
    history,
    ledger: await readLedger(ledger, history),
    refusals: await readRefusals(ledger),
    told: await readTold(urls.at(-1) ?? '', clients.ballotIds()),
    polls: polls.map((poll) => toFacts(poll, polls, urls.length)),
    surfaces: await readSurfaces(urls, ledger, polls),
    reads: watchers.reads,
    followed: watchers.followed(),
    acknowledges: 'acceptance',
  };
}
