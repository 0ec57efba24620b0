/** Redis nodes that die, forget, stand still, come and go under load: I5, I6 and I7 of the promises hold all the while. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { createHashRing } from '../../server/board/hash-ring.ts';
import { describeRing } from '../../server/commands/ring.ts';
import { parseConfig } from '../../server/config.ts';
import { createRandom, pickSeed, shuffled } from '../crash/random.ts';
import { get } from '../support/http.ts';
import { connectTo, readHashes } from '../support/ring-board.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';
import { startRingLoad, type RingLoad } from './ring-load.ts';

type FaultKind = 'kill' | 'empty' | 'old' | 'stop' | 'stop long' | 'change';
type Node = RedisService & { readonly folder: string; readonly copies: string[] };
type Field = {
  readonly nodes: readonly Node[];
  /** The nodes that are in the ring. */
  inRing: readonly Node[];
  readonly databaseUrl: string;
  readonly folder: string;
  readonly server: TestServer;
  readonly load: RingLoad;
  readonly random: () => number;
};

/** Each so often. */
const faultPlan: readonly FaultKind[] = Object.entries({
  kill: 4,
  empty: 4,
  old: 4,
  stop: 3,
  'stop long': 1,
  change: 4,
} satisfies Record<FaultKind, number>).flatMap(([kind, count]) => Array<FaultKind>(count).fill(kind as FaultKind)); // The keys of the record.
const pollNames = Array.from({ length: 30 }, (_, index) => `event-${index}`);
const patience = { timeout: 60_000, interval: 50 };
/** Acknowledged votes before each fault: it strikes nodes that are at work, at a moment drawn by lot. */
const acknowledgedMin = 50;
const acknowledgedMax = 250;
const awayMsMax = 1_500;
const stopMsMin = 500;
const stopMsMax = 5_000;
/** A connection that is silent for so long has been given up. */
const longStopMs = 20_000;
const testMsMax = 400_000;

test(
  'whatever befalls the nodes, reads are right and never go back, votes are taken, and at rest every node equals the ledger',
  { timeout: testMsMax },
  async () => {
    const seed = pickSeed();
    console.log(`ring faults with HUSTINGS_CRASH_SEED=${seed}`);
    const random = createRandom(seed);
    const field = await takeField(random);
    const backMs: number[] = [];
    for (const [index, kind] of shuffled(faultPlan, random).entries()) {
      await untilAcknowledged(field, acknowledgedMin + Math.floor(random() * (acknowledgedMax - acknowledgedMin)));
      await keepCopies(field, index);
      await strike(kind, field);
      const startedAt = performance.now();
      await untilServing(field);
      backMs.push(performance.now() - startedAt);
      expect(field.load.faults, `after ${kind}, round ${index + 1}`).toEqual([]);
    }
    await untilAcknowledged(field, acknowledgedMin);
    await field.load.stop();
    await expectAllEqual(field);
    expect(field.load.faults).toEqual([]);
    const { servedBy } = field.load;
    for (const kind of ['in_memory', 'app_cache', ...field.nodes.map(toServedVia)]) {
      expect(servedBy.get(kind) ?? 0, kind).toBeGreaterThan(0);
    }
    const slowest = (Math.max(...backMs) / 1_000).toFixed(1);
    console.log(
      `seed ${seed}: ${field.load.acknowledged()} votes, reads ${JSON.stringify([...servedBy])}, slowest return ${slowest} s`,
    );
  },
);

const toServedVia = ({ url }: Node): string => `redis_${new URL(url).port}`;

async function takeField(random: () => number): Promise<Field> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-ring-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const nodes = await Promise.all(['a', 'b', 'c'].map((name) => startNode(path.join(folder, name))));
  onTestFinished(async () => {
    for (const node of nodes) await node.stop();
  });
  const inRing = nodes.slice(0, 2);
  const databaseUrl = await createDatabase();
  const start = (cacheSeconds: number): Promise<TestServer> =>
    startOn(databaseUrl, ['--preset', 'live'], {
      REDIS_NODES: toList(inRing),
      BATCH_INTERVAL_SECONDS: '1',
      HUSTINGS_RESULT_CACHE_SECONDS: String(cacheSeconds),
    });
  const [plain, caching] = [await start(0), await start(1)];
  const servers = [
    { url: plain.url, lagMs: 0 },
    { url: caching.url, lagMs: 1_000 },
  ];
  const load = startRingLoad(servers, pollNames, random);
  onTestFinished(load.stop);
  const field = { nodes, inRing, databaseUrl, folder, server: plain, load, random };
  await untilAcknowledged(field, acknowledgedMin);
  await untilServing(field);
  return field;
}

async function startNode(folder: string): Promise<Node> {
  return { ...(await startRedis(folder)), folder, copies: [] };
}

const toList = (nodes: readonly Node[]): string => nodes.map(({ url }) => url).join(',');

function pick<Value>(values: readonly Value[], random: () => number): Value {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('There is nothing to pick from.');
  return value;
}

/** So many more votes. */
async function untilAcknowledged({ load }: Pick<Field, 'load'>, count: number): Promise<void> {
  const countMin = load.acknowledged() + count;
  await expect.poll(load.acknowledged, patience).toBeGreaterThanOrEqual(countMin);
}

/** The files of each node as they are now, for one that comes back with old data. A torn end is what a crash leaves, too. */
async function keepCopies({ nodes, folder }: Field, round: number): Promise<void> {
  for (const node of nodes) {
    const copy = path.join(folder, `copy-${path.basename(node.folder)}-${round}`);
    await cp(path.join(node.folder, 'appendonlydir'), copy, { recursive: true });
    node.copies.push(copy);
  }
}

/** Resolves when the fault is over and the node is back. */
async function strike(kind: FaultKind, field: Field): Promise<void> {
  const { inRing, random } = field;
  const node = pick(inRing, random);
  switch (kind) {
    case 'kill':
      return killFor(node, random, () => Promise.resolve());
    case 'empty':
      return killFor(node, random, () => rm(path.join(node.folder, 'appendonlydir'), { recursive: true }));
    case 'old':
      return killFor(node, random, async () => {
        const files = path.join(node.folder, 'appendonlydir');
        await rm(files, { recursive: true });
        await cp(pick(node.copies, random), files, { recursive: true });
      });
    case 'stop':
      return stopFor(node, stopMsMin + random() * (stopMsMax - stopMsMin));
    case 'stop long':
      return stopFor(node, longStopMs);
    case 'change':
      return changeRing(field);
  }
}

async function stopFor(node: Node, ms: number): Promise<void> {
  process.kill(node.pid(), 'SIGSTOP');
  await sleep(ms);
  process.kill(node.pid(), 'SIGCONT');
}

async function killFor(node: Node, random: () => number, whileAway: () => Promise<void>): Promise<void> {
  await node.kill();
  await whileAway();
  await sleep(random() * awayMsMax);
  await node.restart();
}

/** The third node comes, or any of the three goes. The servers hear of it from the ledger. */
async function changeRing(field: Field): Promise<void> {
  const { nodes, inRing, databaseUrl, random } = field;
  const gone = pick(nodes, random);
  field.inRing = inRing.length < nodes.length ? nodes : nodes.filter((node) => node !== gone);
  const config = parseConfig({ argv: [], env: { DATABASE_URL: databaseUrl, REDIS_NODES: toList(field.inRing) } });
  const options = { log: pino({ level: 'silent' }), onProgress: () => {}, onLost: () => {} };
  await describeRing(config, { pollName: undefined, adopt: true }, options);
}

/** Until every poll is answered by the node that the ring names. */
async function untilServing({ server, inRing }: Field): Promise<void> {
  const nodeOf = toNodeOf(inRing);
  const wrong = async (): Promise<string[]> => {
    const answers = await Promise.all(pollNames.map((name) => get(`${server.url}/api/v1/results/${name}`)));
    return answers.flatMap(({ json }, index) => {
      const { served_via: servedVia } = json as { served_via: string }; // As the contract has it.
      const wanted = toServedVia(nodeOf(pollNames[index] ?? ''));
      return servedVia === wanted ? [] : [`${pollNames[index]}: ${servedVia}, not ${wanted}`];
    });
  };
  await expect.poll(wrong, patience).toEqual([]);
}

function toNodeOf(nodes: readonly Node[]): (key: string) => Node {
  const byName = new Map(nodes.map((node) => [node.url, node]));
  const names = [...byName.keys()].map((name) => ({ name }));
  const { nodeOf } = createHashRing({ nodes: names, virtualNodes: 100, label: '{node}#{i}' });
  return (key) => byName.get(nodeOf(key)) ?? pick(nodes, () => 0);
}

/** The count over the ledger's ballots, on the node of the ring and on no other. */
async function expectAllEqual({ nodes, inRing, server }: Field): Promise<void> {
  const nodeOf = toNodeOf(inRing);
  const rows = await server.query<{ name: string; option: string; votes: number }>(`
    select polls.made_as as name, options.id as option, count(*)::integer as votes
    from ballots
    join polls using (poll_no)
    join options on options.poll_no = ballots.poll_no and options.option_no::text = ballots.selections
    group by polls.made_as, options.id`);
  expect(rows.length).toBeGreaterThan(pollNames.length);
  for (const node of nodes) {
    const expected = new Map<string, Record<string, number>>();
    for (const { name, option, votes } of rows) {
      if (inRing.includes(node) && nodeOf(name) === node) {
        expected.set(name, { ...expected.get(name), [option]: votes });
      }
    }
    const client = await connectTo(node.url);
    await expect.poll(() => readHashes(client), { ...patience, message: node.url }).toEqual(expected);
  }
}
