/**
 * `npm run services`: a PostgreSQL, three Redis servers, a RabbitMQ and a Kafka for development, or those that are named
 * (`npm run services -- redis kafka`). Prints a line for the environment of each and runs until it is interrupted; then
 * everything is stopped and its data are removed.
 */
import { once } from 'node:events';
import { serviceNames, startServices, type ServiceName, type ServiceUrls } from './services/start-services.ts';

const named = process.argv.slice(2);
const unknown = named.filter((name) => !isServiceName(name));
if (unknown.length > 0) {
  console.error(`There is no service ${unknown.join(', ')}. These can be had: ${serviceNames.join(', ')}.`);
  process.exit(2);
}
const wanted = named.filter(isServiceName);
// Until all of them run, a signal ends this process at once and what runs already ends with it.
const services = await startServices(wanted.length > 0 ? wanted : serviceNames).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
// The same signal may come twice, from the terminal and from npm. It is heard as long as the stopping takes.
const signalled = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
  process.on(signal, () => undefined);
  return once(process, signal);
});
for (const [name, value] of Object.entries(toVariables(services.urls))) console.log(`${name}=${value}`);
await hearOne(signalled);
await services.stop();
process.exit();

function isServiceName(name: string): name is ServiceName {
  return serviceNames.some((each) => each === name);
}

/** As Hustings reads them. */
function toVariables({
  postgresUrl,
  redisUrls,
  rabbitmqUrl,
  kafkaBrokers,
}: Partial<ServiceUrls>): Record<string, string> {
  const variables = {
    DATABASE_URL: postgresUrl,
    REDIS_URL: redisUrls?.[0],
    REDIS_NODES: redisUrls?.join(','),
    RABBITMQ_URL: rabbitmqUrl,
    KAFKA_BROKERS: kafkaBrokers,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** While it waits, nothing else keeps this process alive. */
async function hearOne(signals: readonly Promise<unknown>[]): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  await Promise.race(signals);
  clearInterval(alive);
}
