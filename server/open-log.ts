/** The broker that carries ballots to the workers, connected and checked. Its client is loaded only where it is used. */
import type { Config } from './config.ts';
import type { LogChoice } from './ingest-log/log-settings.ts';
import type { SegmentLog } from './ingest-log/segment-log.ts';
import type { Logger } from './lib/logger.ts';

export type BrokerChoice = Exclude<LogChoice, { name: 'direct' }>;

/** @throws {Error} one line for whoever starts the server: what is wrong with the broker, and the remedy */
export async function openSegmentLog(
  choice: BrokerChoice,
  { durability }: Pick<Config, 'durability'>,
  log: Logger,
): Promise<SegmentLog> {
  const segments = await connect(choice, log);
  try {
    if (durability === 'strict') await segments.checkDurability();
    return segments;
  } catch (error) {
    await segments.close();
    throw error;
  }
}

async function connect(choice: BrokerChoice, log: Logger): Promise<SegmentLog> {
  switch (choice.name) {
    case 'redis': {
      const { createRedisSegmentLog } = await import('./ingest-log/redis.ts');
      return createRedisSegmentLog({ url: choice.url, queueName: choice.stream, log });
    }
    case 'rabbitmq': {
      const { createRabbitmqSegmentLog } = await import('./ingest-log/rabbitmq.ts');
      return createRabbitmqSegmentLog({ url: choice.url, queueName: choice.queueName, log });
    }
    case 'kafka': {
      const { createKafkaSegmentLog } = await import('./ingest-log/kafka.ts');
      const { brokers, topic: queueName, clientId, groupId, security } = choice;
      return createKafkaSegmentLog({ brokers, queueName, clientId, groupId, security, log });
    }
  }
}
