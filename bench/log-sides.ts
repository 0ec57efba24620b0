/** What `logs` compares: whole servers over HTTP and the intake by calls, on a log of any kind, each with a database and a queue of its own. */
import { once } from 'node:events';
import pg from 'pg';
import { createBenchDatabase } from './bench-database.ts';
import type { BrokerName } from './bare-client-process.ts';
import { startDelayProbe } from './count-delays.ts';
import type { CastDone, CastOrder } from './intake-process.ts';
import { checkGates, watchCounts } from './ledger-watch.ts';
import { runLoad, startProgram, type Program } from './programs.ts';
import type { BenchOptions } from './question.ts';
import { createPoll } from './votes.ts';

/** What one slice has shown. Its gates held, or there is none. */
export type Rates = {
  readonly accepted: number;
  readonly counted: number;
  /** From acceptance to count, in milliseconds, of a few ballots. */
  readonly delays: readonly number[];
};

export type Side = { slice(): Promise<Rates>; stop(): Promise<void> };

export type SidePlan = {
  /** Names its database and its queue. */
  readonly name: string;
  readonly postgresUrl: string;
  readonly log: { readonly name: 'direct' } | { readonly name: BrokerName; readonly url: string };
  /** Whether its ballots are recorded by a process of its own. */
  readonly workerApart: boolean;
};

const urlVariables = { redis: 'REDIS_URL', rabbitmq: 'RABBITMQ_URL', kafka: 'KAFKA_BROKERS' };

/** Over HTTP, by clients in a process of their own that wait for each answer. */
export async function startHttpSide(plan: SidePlan, options: BenchOptions): Promise<Side> {
  const opened = await open(plan);
  const { database } = opened;
  const server = await opened.start('server/hustings.mjs', ['serve'], /Open\s+http:\/\/localhost:(\d+)/u);
  const worker = await opened.startWorker();
  const poll = await createPoll(server.port);
  const path = `/api/v1/polls/${poll}/ballots`;
  let acknowledged = 0;
  return {
    async slice() {
      const watch = watchCounts(database, poll);
      const probe = startDelayProbe(database, `http://127.0.0.1:${server.port}${path}`);
      const { connections, seconds } = options;
      const load = await runLoad({ port: server.port, path, connections, seconds, kind: 'vote', keepReceipts: false });
      if (load.refused > 0) throw new Error(`${load.refused} votes were refused: the figure does not count.`);
      const delays = await probe.stop();
      const votes = load.answered + delays.length;
      acknowledged += votes;
      const seenAt = await watch.seenAt(acknowledged);
      await checkGates(database, poll, acknowledged);
      return { accepted: load.perSecond, counted: (votes / (seenAt - load.startedAt)) * 1_000, delays };
    },
    stop: () => opened.stop([server, worker]),
  };
}

/** By calls in the process of the intake, many under way. */
export async function startCallSide(plan: SidePlan, order: CastOrder): Promise<Side> {
  const opened = await open(plan);
  const { database } = opened;
  const intake = await opened.start('bench/intake-process.ts', [], /ready on (\d)/u);
  const worker = await opened.startWorker();
  return {
    async slice() {
      intake.child.send(order);
      const [done] = (await once(intake.child, 'message')) as [CastDone]; // Our own child sends nothing else.
      const seenAt = await watchCounts(database, done.pollId).seenAt(done.answered);
      await checkGates(database, done.pollId, done.answered);
      const countedMs = seenAt - done.startedAt;
      return { accepted: done.answered / done.seconds, counted: (done.answered / countedMs) * 1_000, delays: [] };
    },
    stop: () => opened.stop([intake, worker]),
  };
}

type Opened = {
  readonly database: pg.Pool;
  start(file: string, words: readonly string[], ready: RegExp): Promise<Program>;
  startWorker(): Promise<Program | null>;
  stop(programs: readonly (Program | null)[]): Promise<void>;
};

async function open({ name, postgresUrl, log, workerApart }: SidePlan): Promise<Opened> {
  const connectionString = await createBenchDatabase(postgresUrl, name);
  const database = new pg.Pool({ connectionString });
  // The database may end before us where something failed, and then that is what is told.
  database.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  const variables = {
    DATABASE_URL: connectionString,
    REDIS_STREAM: name,
    RABBITMQ_QUEUE_NAME: name,
    KAFKA_TOPIC: name,
    KAFKA_GROUP_ID: name,
    ...(log.name === 'direct' ? {} : { [urlVariables[log.name]]: log.url }),
  };
  const flags = ['--log-level', 'error', '--preset', 'none', '--port', '0', '--queue', log.name];
  const start: Opened['start'] = (file, words, ready) =>
    startProgram(file, [...words, ...flags, ...(workerApart ? ['--worker=false'] : [])], ready, variables);
  return {
    database,
    start,
    startWorker: async () => (workerApart ? start('server/hustings.mjs', ['worker'], /(?:) is ready/u) : null),
    async stop(programs) {
      await Promise.all(programs.map(async (program) => program?.stop()));
      await database.end();
    },
  };
}
