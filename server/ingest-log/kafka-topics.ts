/** The topics of the Kafka adapter: how they are made where they are missing, and which of their settings may lose ballots. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigResourceTypes, UserError, type Admin, type ClusterMetadata } from '@platformatic/kafka';
import { isKafkaError, toReason } from './kafka-client.ts';
import { segmentBytesMax } from './segment-log.ts';

export type WantedTopic = { readonly topic: string; readonly partitions: number };

/** A record is its segment and some bytes of its own. */
const messageBytesMin = segmentBytesMax + 10_000;
const messageBytesMax = 1_048_588;
const replicasMax = 3;
/** Records that all consumers have passed free their disk in files of this size. */
const fileBytesMax = 67_108_864;
const readyMsMax = 10_000;
const checkMs = 100;

/** Makes what is missing; leaves what is there as it is. @throws {Error} where a topic cannot be made, or has no leaders in time */
export async function makeTopics(admin: Admin, wanted: readonly WantedTopic[]): Promise<void> {
  for (const { topic, partitions } of wanted) {
    const cluster = await admin.metadata({ topics: [] });
    if (await isThere(admin, topic)) continue;
    const replicas = Math.min(replicasMax, cluster.brokers.size);
    await admin
      .createTopics({ topics: [topic], partitions, replicas, configs: toConfigs(replicas) })
      .catch((error: unknown) => {
        // Another process was faster.
        if (!isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) throw error;
      });
    const lateAt = performance.now() + readyMsMax;
    while (!(await isThere(admin, topic))) {
      if (performance.now() > lateAt) throw new Error(`The topic ${topic} was made and has no leaders.`);
      await sleep(checkMs);
    }
  }
}

/** How many partitions a topic has. */
export async function countPartitions(admin: Admin, topic: string): Promise<number> {
  const { topics } = await admin.metadata({ topics: [topic] });
  return topics.get(topic)?.partitionsCount ?? 0;
}

async function isThere(admin: Admin, topic: string): Promise<boolean> {
  try {
    // Asked once: that it is missing is an answer.
    await admin.metadata({ topics: [topic], forceUpdate: true, retries: 0 });
    return true;
  } catch (error) {
    if (error instanceof UserError || isKafkaError(error, 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION')) {
      return false;
    }
    throw error;
  }
}

function toConfigs(replicas: number): { name: string; value: string }[] {
  const configs = {
    'cleanup.policy': 'delete',
    // Kafka drops by age and size also what nobody has read; what was recorded is deleted by the consumers.
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'segment.bytes': String(fileBytesMax),
    'max.message.bytes': String(messageBytesMax),
    'message.timestamp.type': 'LogAppendTime',
    'unclean.leader.election.enable': 'false',
    'min.insync.replicas': replicas >= 2 ? '2' : '1',
    // One replica has acknowledged when it is in its memory; with this, when it is on its disk.
    ...(replicas === 1 && { 'flush.messages': '1' }),
  };
  return Object.entries(configs).map(([name, value]) => ({ name, value }));
}

/** @throws {Error} one line that names the setting and the remedy */
export async function checkTopics(admin: Admin, names: readonly string[]): Promise<void> {
  const cluster = await admin.metadata({ topics: [...names], forceUpdate: true });
  for (const name of names) {
    const settings = await readSettings(admin, name);
    const fault = findFault(settings, replicasOf(cluster, name));
    if (fault !== null) {
      throw new Error(
        `Kafka's topic ${name} has ${fault.setting} = ${fault.is}, so ${fault.so}. Run "kafka-configs.sh --alter --entity-type topics ` +
          `--entity-name ${name} --add-config ${fault.setting}=${fault.remedy}" there, or start with --durability process.`,
      );
    }
  }
}

export type TopicFault = {
  readonly setting: string;
  readonly is: string;
  readonly so: string;
  readonly remedy: string;
};

/** The first setting of a topic that may lose or refuse what a broker has, or null. */
export function findFault(settings: ReadonlyMap<string, string>, replicas: number): TopicFault | null {
  const faultOf = (setting: string, isFine: (is: string) => boolean, so: string, remedy: string): TopicFault | null => {
    const is = settings.get(setting) ?? 'unknown';
    return isFine(is) ? null : { setting, is, so, remedy };
  };
  const lostDisk = 'a broken disk or a power cut may lose acknowledged ballots';
  return (
    (replicas >= 2
      ? faultOf('min.insync.replicas', (is) => Number(is) >= 2, lostDisk, '2')
      : faultOf('flush.messages', (is) => Number(is) === 1, 'a power cut may lose acknowledged ballots', '1')) ??
    faultOf('unclean.leader.election.enable', (is) => is === 'false', lostDisk, 'false') ??
    faultOf('cleanup.policy', (is) => is === 'delete', 'ballots may be taken for older copies and dropped', 'delete') ??
    faultOf('retention.ms', (is) => Number(is) === -1, 'ballots that wait for longer are dropped', '-1') ??
    faultOf('retention.bytes', (is) => Number(is) === -1, 'the oldest ballots are dropped when it is full', '-1') ??
    faultOf(
      'max.message.bytes',
      (is) => Number(is) >= messageBytesMin,
      'larger segments of ballots are refused',
      String(messageBytesMax),
    )
  );
}

async function readSettings(admin: Admin, topic: string): Promise<Map<string, string>> {
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }];
  const described = await admin.describeConfigs({ resources }).catch((error: unknown) => {
    throw new Error(`Kafka's topic ${topic} does not tell its settings: ${toReason(error)}`, { cause: error });
  });
  return new Map(described.flatMap(({ configs }) => configs.map(({ name, value }) => [name, value ?? ''] as const)));
}

/** Of the partition that has the fewest. */
function replicasOf({ topics }: ClusterMetadata, topic: string): number {
  const partitions = topics.get(topic)?.partitions ?? [];
  return Math.min(...partitions.map(({ replicas }) => replicas.length));
}
