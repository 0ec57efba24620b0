/** Every adapter of the segment log, by name, as tests make it: here and in a process that is killed. */
import { Secret } from '../../server/lib/secret.ts';
import type { SegmentLog, SegmentLogOptions } from '../../server/ingest-log/segment-log.ts';

export type TestedLogOptions = SegmentLogOptions & { readonly url: string };

type Create = (options: TestedLogOptions) => Promise<SegmentLog>;

/** Each loads its client only when it is used. What would make a test wait (how long a silent consumer is believed) is short here. */
export const segmentLogs = {
  async redis({ url, ...options }) {
    const { createRedisSegmentLog } = await import('../../server/ingest-log/redis.ts');
    return createRedisSegmentLog({ ...options, url: new Secret(url, url), claimMs: 1_000 });
  },
  async rabbitmq(options) {
    const { createRabbitmqSegmentLog } = await import('../../server/ingest-log/rabbitmq.ts');
    return createRabbitmqSegmentLog(options);
  },
  async kafka({ url, ...options }) {
    const { createKafkaSegmentLog } = await import('../../server/ingest-log/kafka.ts');
    // A group of its own for each queue, and the shortest time that a broker takes from a consumer by default.
    const { queueName: groupId } = options;
    const address = { brokers: [url], clientId: 'hustings-test', security: { tls: null, sasl: null } };
    return createKafkaSegmentLog({ ...options, ...address, groupId, sessionMs: 6_000 });
  },
} satisfies Partial<Record<SegmentLog['name'], Create>>;

export type TestedLog = keyof typeof segmentLogs;
