/** A Kafka of one node, which is broker and controller in one. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Admin } from '@platformatic/kafka';
import { startContainer } from './container.ts';
import { withGuard, type Guard } from './guard.ts';
import { findProgram } from './installed.ts';
import { findMaven, hasKafkaJars, kafkaVersion, provideKafkaJars } from './kafka-jars.ts';
import { answersOn, findFreePort } from './ports.ts';
import { runProgram, startProgram, type RunningService } from './program.ts';
import { provideProgram } from './provide.ts';

export type KafkaService = RunningService & {
  /** `host:port`, as clients are told it. */
  readonly brokers: string;
};

export type KafkaOptions = {
  /** Whose end ends the service too. Without it the service has one of its own, which removes the folder after a crash. */
  readonly guard?: Guard | undefined;
  /** Settings of server.properties that replace or complete ours. */
  readonly settings?: Readonly<Record<string, string>>;
};

const answerMsMax = 5_000;

const need = {
  name: 'Kafka',
  find: () => (hasKafkaJars() || findMaven() !== null ? findProgram(['java']) : null),
  packages: ['default-jre-headless', 'maven'],
  variable: 'HUSTINGS_TEST_KAFKA_BROKERS',
};
const image = `apache/kafka:${kafkaVersion}`;

/** Its data are in the folder, which is made if it is missing; on a free port of 127.0.0.1. */
export async function startKafka(folder: string, options: KafkaOptions = {}): Promise<KafkaService> {
  const java = await provideProgram(need);
  await mkdir(folder, { recursive: true });
  const port = await findFreePort();
  const service = await withGuard<RunningService>(folder, options.guard, (guard) =>
    java === null
      ? startContained(port, options.settings, guard)
      : startNode({ java, folder, port, settings: options.settings }, guard),
  );
  return { ...service, brokers: `127.0.0.1:${port}` };
}

function startContained(port: number, given: KafkaOptions['settings'], guard: Guard): Promise<RunningService> {
  const settings = { ...toSettings(port, '0.0.0.0', 9093), ...given, 'log.dirs': '/tmp/hustings' };
  const variables = Object.entries(settings).flatMap(([name, value]) => [
    '--env',
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`,
  ]);
  const options = ['--publish', `127.0.0.1:${port}:${port}`, ...variables];
  return startContainer({ image, options, answers: () => answersMetadata(port) }, guard);
}

type Place = {
  readonly java: string;
  readonly folder: string;
  readonly port: number;
  readonly settings: KafkaOptions['settings'];
};

async function startNode({ java, folder, port, settings: given }: Place, guard: Guard): Promise<RunningService> {
  const jars = await provideKafkaJars();
  const data = { 'log.dirs': path.join(folder, 'data') };
  const settings = { ...toSettings(port, '127.0.0.1', await findFreePort()), ...data, ...given };
  const properties = path.join(folder, 'server.properties');
  await writeFile(properties, toProperties(settings));
  const onJava = (...args: string[]): string[] => [...javaOptions, '-cp', path.join(jars, '*'), ...args];
  const program = { name: need.name, command: java, folder, answers: () => answersMetadata(port) };
  const format = [
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    '--config',
    properties,
    '--cluster-id',
    clusterId,
  ];
  await runProgram({ ...program, args: onJava(...format) }, guard);
  return startProgram({ ...program, args: onJava('kafka.Kafka', properties) }, guard);
}

/** 16 bytes, as Kafka wants them. It matters to clusters of several nodes alone. */
const clusterId = Buffer.from('hustings-kafka-1').toString('base64url');

/** Small, because tests send little; otherwise as Kafka's own scripts start it. */
const javaOptions = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

/** For one node. How often a topic is flushed to the disk is the topic's own business. */
function toSettings(port: number, host: string, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    // A node that was killed is let in again only when its former self has been silent for so long.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
  };
}

function toProperties(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

async function answersMetadata(port: number): Promise<boolean> {
  if (!(await answersOn(port))) return false;
  const options = { timeout: answerMsMax, connectTimeout: answerMsMax, retries: 0 };
  const admin = new Admin({ clientId: 'services', bootstrapBrokers: [`127.0.0.1:${port}`], ...options });
  try {
    const { brokers } = await admin.metadata({ topics: [] });
    return brokers.size === 1;
  } finally {
    await admin.close();
  }
}
