/** What the tests with brokers need, once a run: PostgreSQL, Redis, RabbitMQ and Kafka. */
import type { TestProject } from 'vitest/node';
import { startServices } from '../../scripts/services/start-services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Three servers that know nothing of each other. Tests share them: take keys of your own. */
    redisUrls: string[];
    rabbitmqUrl: string;
    /** `host:port`. Topics are not made by being named. */
    kafkaBrokers: string;
  }
}

/** @throws {Error} in one line, when a service cannot be had: nothing is left out in silence */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { urls, stop } = await startServices(['postgres', 'redis', 'rabbitmq', 'kafka']);
  project.provide('postgresUrl', urls.postgresUrl);
  project.provide('redisUrls', urls.redisUrls);
  project.provide('rabbitmqUrl', urls.rabbitmqUrl);
  project.provide('kafkaBrokers', urls.kafkaBrokers);
  return stop;
}
