/** A queue of its own on each of the brokers that all tests share. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

/** The variables that lead a server to it, whichever broker its `--queue` names. */
export function makeQueueVariables() {
  const name = `queue_${randomBytes(6).toString('hex')}`;
  return {
    REDIS_URL: inject('redisUrls')[0],
    REDIS_STREAM: name,
    RABBITMQ_URL: inject('rabbitmqUrl'),
    RABBITMQ_QUEUE_NAME: name,
    KAFKA_BROKERS: inject('kafkaBrokers'),
    KAFKA_TOPIC: name,
    KAFKA_GROUP_ID: name,
  };
}
