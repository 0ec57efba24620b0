/** The services that tests and development need: those that the environment names, else some of our own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openGuard, type Guard } from './guard.ts';
import { startKafka } from './kafka.ts';
import { startPostgres } from './postgres.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';

export type ServiceUrls = {
  /** Of a database whose user may create others. */
  postgresUrl: string;
  /** Of servers that know nothing of each other. */
  redisUrls: string[];
  rabbitmqUrl: string;
  /** `host:port`, more of them with commas. */
  kafkaBrokers: string;
};

type UrlNames = {
  postgres: 'postgresUrl';
  redis: 'redisUrls';
  rabbitmq: 'rabbitmqUrl';
  kafka: 'kafkaBrokers';
};

export type ServiceName = keyof UrlNames;

export type Services<Name extends ServiceName> = {
  readonly urls: Readonly<Pick<ServiceUrls, UrlNames[Name]>>;
  /** Ends what was started and removes its data. */
  stop(): Promise<void>;
};

type Started = { readonly urls: Partial<ServiceUrls>; stop(): Promise<void> };

/** As many as it takes for a majority to live on when one dies. */
const redisCount = 3;

/** How each service is started in a folder of its own, and where the environment names one that runs already. */
const recipes: Record<ServiceName, { variable: string; toUrls(given: string): Partial<ServiceUrls>; start: Start }> = {
  postgres: {
    variable: 'HUSTINGS_TEST_POSTGRES_URL',
    toUrls: (postgresUrl) => ({ postgresUrl }),
    async start(folder, guard) {
      const { url, stop } = await startPostgres(folder, { guard });
      return { urls: { postgresUrl: url }, stop };
    },
  },
  redis: {
    variable: 'HUSTINGS_TEST_REDIS_URLS',
    toUrls: (given) => ({ redisUrls: given.split(',').map((url) => url.trim()) }),
    async start(folder, guard) {
      const folders = Array.from({ length: redisCount }, (_, index) => path.join(folder, String(index + 1)));
      const servers = await allOrNone(folders.map((each) => startRedis(each, { guard })));
      return { urls: { redisUrls: servers.map(({ url }) => url) }, stop: () => stopAll(servers) };
    },
  },
  rabbitmq: {
    variable: 'HUSTINGS_TEST_RABBITMQ_URL',
    toUrls: (rabbitmqUrl) => ({ rabbitmqUrl }),
    async start(folder, guard) {
      const { url, stop } = await startRabbitmq(folder, { guard });
      return { urls: { rabbitmqUrl: url }, stop };
    },
  },
  kafka: {
    variable: 'HUSTINGS_TEST_KAFKA_BROKERS',
    toUrls: (kafkaBrokers) => ({ kafkaBrokers }),
    async start(folder, guard) {
      const { brokers, stop } = await startKafka(folder, { guard });
      return { urls: { kafkaBrokers: brokers }, stop };
    },
  },
};

type Start = (folder: string, guard: Guard) => Promise<Started>;

export const serviceNames = Object.keys(recipes) as ServiceName[]; // The keys of the table above and no others.

/**
 * Starts them side by side, in a temporary folder. What is started ends with this process, however that ends.
 * @throws {Error} in one line, when one cannot be had; the others are stopped first
 */
export async function startServices<Name extends ServiceName>(wanted: readonly Name[]): Promise<Services<Name>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-services-'));
  const guard = openGuard(folder);
  const close = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await guard.close();
  };
  try {
    const started = await allOrNone(wanted.map((name) => obtain(name, path.join(folder, name), guard)));
    const urls = Object.assign({}, ...started.map((each) => each.urls)) as Services<Name>['urls']; // One recipe for each name.
    return { urls, stop: () => stopAll(started).finally(close) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function obtain(name: ServiceName, folder: string, guard: Guard): Promise<Started> {
  const { variable, toUrls, start } = recipes[name];
  const given = process.env[variable] ?? '';
  if (given !== '') return { urls: toUrls(given), stop: () => Promise.resolve() };
  return start(folder, guard);
}

type Stoppable = { stop(): Promise<void> };

async function allOrNone<Service extends Stoppable>(starts: readonly Promise<Service>[]): Promise<Service[]> {
  const results = await Promise.allSettled(starts);
  const failed = results.find((result) => result.status === 'rejected');
  const services = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed === undefined) return services;
  await stopAll(services);
  throw failed.reason;
}

async function stopAll(services: readonly Stoppable[]): Promise<void> {
  const results = await Promise.allSettled(services.map((service) => service.stop()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
