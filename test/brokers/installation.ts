/** A whole installation of processes: PostgreSQL, a broker, servers that accept, workers that record. Each can be killed and comes back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openGuard, type Guard } from '../../scripts/services/guard.ts';
import { startKafka, type KafkaService } from '../../scripts/services/kafka.ts';
import { findFreePort } from '../../scripts/services/ports.ts';
import { startPostgres } from '../../scripts/services/postgres.ts';
import { startRabbitmq, type RabbitmqService } from '../../scripts/services/rabbitmq.ts';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import type { Ledger } from '../crash/evidence.ts';
import {
  kill,
  launch,
  mainFile,
  readPostmasterPid,
  serverReadyText,
  workerReadyText,
  type Program,
} from '../crash/program.ts';

export type BrokerName = Broker['name'];

/** With where it is, as the settings of a server say it. */
export type Broker = { readonly env: Readonly<Record<string, string>> } & (
  | ({ readonly name: 'redis' } & RedisService)
  | ({ readonly name: 'rabbitmq' } & RabbitmqService)
  | ({ readonly name: 'kafka' } & KafkaService)
);

/** A place for a process, which one after the other takes. */
export type Seat = {
  readonly name: string;
  /** The process that has it now, once that is ready. */
  program(): Promise<Program>;
  /** Gives it to the next one. */
  start(): void;
};

export type Installation = {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly urls: readonly string[];
  readonly servers: readonly Seat[];
  /** The first is the program that people start; the second dies where it is told to (`worker-program.ts`). */
  readonly workers: readonly Seat[];
  readPostmasterPid(): Promise<number>;
  stop(): Promise<void>;
};

export type InstallationOptions = {
  readonly serverCount: number;
  /** Flags of the servers besides those that it takes to use the broker. */
  readonly flags?: readonly string[];
};

const workerProgram = path.resolve(import.meta.dirname, '../crash/worker-program.ts');

export async function startInstallation(name: BrokerName, options: InstallationOptions): Promise<Installation> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-brokers-'));
  const guard = openGuard(folder);
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    await guard.close();
  };
  try {
    const [postgres, broker] = await Promise.all([
      startPostgres(path.join(folder, 'ledger'), { guard }).then((each) => (ends.push(each.stop), each)),
      startBroker(name, path.join(folder, name), guard).then((each) => (ends.push(each.stop), each)),
    ]);
    const env = { PATH: process.env['PATH'], DATABASE_URL: postgres.url, ...broker.env };
    const seats = await takeSeats({ env, guard, ...options }, name);
    const all = [...seats.servers, ...seats.workers];
    ends.push(() => killAll(all));
    for (const seat of all) {
      seat.start();
      await seat.program();
    }
    return {
      broker,
      ledger: { host: new URL(postgres.url).searchParams.get('host') ?? '' },
      ...seats,
      readPostmasterPid: () => readPostmasterPid(path.join(folder, 'ledger')),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBroker(name: BrokerName, folder: string, guard: Guard): Promise<Broker> {
  if (name === 'redis') {
    const redis = await startRedis(folder, { guard });
    return { ...redis, name, env: { REDIS_URL: redis.url } };
  }
  if (name === 'rabbitmq') {
    const rabbitmq = await startRabbitmq(folder, { guard });
    return { ...rabbitmq, name, env: { RABBITMQ_URL: rabbitmq.url } };
  }
  const kafka = await startKafka(folder, { guard });
  return { ...kafka, name, env: { KAFKA_BROKERS: kafka.brokers } };
}

type SeatParts = InstallationOptions & { readonly env: NodeJS.ProcessEnv; readonly guard: Guard };

async function takeSeats(
  { env, guard, serverCount, flags = [] }: SeatParts,
  name: BrokerName,
): Promise<Pick<Installation, 'urls' | 'servers' | 'workers'>> {
  const common = ['--queue', name, '--log-level', 'error'];
  const ports = await Promise.all(Array.from({ length: serverCount }, findFreePort));
  const servers = ports.map((port, index) =>
    toSeat(`server ${index + 1}`, () => {
      const command = [mainFile, 'serve', '--worker=false', '--port', String(port), ...common, ...flags];
      return launch({ command, env, readyText: serverReadyText, guard });
    }),
  );
  const workers = [[mainFile, 'worker'], [workerProgram]].map((command, index) =>
    toSeat(`worker ${index + 1}`, () =>
      launch({ command: [...command, ...common], env, readyText: workerReadyText, guard }),
    ),
  );
  return { urls: ports.map((port) => `http://127.0.0.1:${port}`), servers, workers };
}

function toSeat(name: string, start: () => Promise<Program>): Seat {
  let taken: Promise<Program> | null = null;
  return {
    name,
    program() {
      if (taken === null) throw new Error(`${name} was never started.`);
      return taken;
    },
    start() {
      taken = start();
      // Whoever asks for the process hears of it.
      taken.catch(() => undefined);
    },
  };
}

async function killAll(seats: readonly Seat[]): Promise<void> {
  for (const seat of seats) {
    try {
      const { child, ended } = await seat.program();
      kill(child.pid ?? 0);
      await ended;
    } catch {
      // It was never started, or ended at its start: there is nothing to end.
    }
  }
}
