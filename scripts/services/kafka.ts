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
  /** The same of another listener that it was started with. */
  brokersOf(protocol: KafkaProtocol): string;
};

/** How clients speak to a listener. */
export type KafkaProtocol = 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';

export type KafkaOptions = {
  /** Whose end ends the service too. Without it the service has one of its own, which removes the folder after a crash. */
  readonly guard?: Guard | undefined;
  /** Settings of server.properties that replace or complete ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Listeners besides the plain one, which stays: for what the settings say under `listener.name.sasl_ssl.` and the like. */
  readonly protocols?: readonly KafkaProtocol[];
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
  const listeners: Listener[] = [];
  for (const protocol of ['PLAINTEXT', ...(options.protocols ?? [])] as const) {
    listeners.push({ protocol, port: await findFreePort() });
  }
  const service = await withGuard<RunningService>(folder, options.guard, (guard) =>
    java === null
      ? startContained(listeners, options.settings, guard)
      : startNode({ java, folder, listeners, settings: options.settings }, guard),
  );
  return {
    ...service,
    brokers: toAddress(listeners, 'PLAINTEXT'),
    brokersOf: (protocol) => toAddress(listeners, protocol),
  };
}

type Listener = { readonly protocol: KafkaProtocol | 'PLAINTEXT'; readonly port: number };

/** @throws {Error} where it was started without such a listener */
function toAddress(listeners: readonly Listener[], protocol: Listener['protocol']): string {
  return `127.0.0.1:${portOf(listeners, protocol)}`;
}

function portOf(listeners: readonly Listener[], wanted: Listener['protocol']): number {
  const listener = listeners.find(({ protocol }) => protocol === wanted);
  if (listener === undefined) throw new Error(`This Kafka has no listener for ${wanted}.`);
  return listener.port;
}

function startContained(
  listeners: readonly Listener[],
  given: KafkaOptions['settings'],
  guard: Guard,
): Promise<RunningService> {
  const settings = { ...toSettings(listeners, '0.0.0.0', 9093), ...given, 'log.dirs': '/tmp/hustings' };
  const variables = Object.entries(settings).flatMap(([name, value]) => ['--env', `${toVariable(name)}=${value}`]);
  const ports = listeners.flatMap(({ port }) => ['--publish', `127.0.0.1:${port}:${port}`]);
  const plainPort = portOf(listeners, 'PLAINTEXT');
  return startContainer({ image, options: [...ports, ...variables], answers: () => answersMetadata(plainPort) }, guard);
}

/** As the image reads it: one line below for a dot, two for a line below, three for a hyphen. */
function toVariable(name: string): string {
  return `KAFKA_${name.toUpperCase().replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_')}`;
}

type Place = {
  readonly java: string;
  readonly folder: string;
  readonly listeners: readonly Listener[];
  readonly settings: KafkaOptions['settings'];
};

async function startNode({ java, folder, listeners, settings: given }: Place, guard: Guard): Promise<RunningService> {
  const jars = await provideKafkaJars();
  const data = { 'log.dirs': path.join(folder, 'data') };
  const settings = { ...toSettings(listeners, '127.0.0.1', await findFreePort()), ...data, ...given };
  const properties = path.join(folder, 'server.properties');
  await writeFile(properties, toProperties(settings));
  const onJava = (...args: string[]): string[] => [...javaOptions, '-cp', path.join(jars, '*'), ...args];
  const plainPort = portOf(listeners, 'PLAINTEXT');
  const program = { name: need.name, command: java, folder, answers: () => answersMetadata(plainPort) };
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
function toSettings(listeners: readonly Listener[], host: string, controllerPort: number): Record<string, string> {
  const toList = (name: string): string =>
    listeners.map(({ protocol, port }) => `${protocol}://${name}:${port}`).join(',');
  const protocols = listeners.map(({ protocol }) => `${protocol}:${protocol}`).join(',');
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${toList(host)},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': toList('127.0.0.1'),
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,${protocols}`,
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
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
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
