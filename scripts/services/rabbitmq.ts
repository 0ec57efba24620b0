/** A RabbitMQ of one node that shares nothing with one that this machine may run: name, folders, ports, cookie, epmd. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Connection } from 'rabbitmq-client';
import { withGuard, type Guard } from './guard.ts';
import { startContainer } from './container.ts';
import { findIn, findProgram } from './installed.ts';
import { answersOn, findFreePort } from './ports.ts';
import { startProgram, type RunningService } from './program.ts';
import { provideProgram } from './provide.ts';

const run = promisify(execFile);

export type RabbitmqService = RunningService & {
  readonly url: string;
  /** `rabbitmqctl`, such as `control('set_vm_memory_high_watermark', '0')`. Answers what it said; takes seconds. */
  control(...args: readonly string[]): Promise<string>;
  /**
   * Resolves when the queues declared until now would outlive `kill`. A RabbitMQ without rabbitmq/ra#443 (of 2024; Debian's
   * 3.10.8 is one) writes the names of new quorum queues to the disk a second or so late; killed before, it comes back with
   * an empty queue in their place that never answers.
   */
  settle(): Promise<void>;
};

export type RabbitmqOptions = {
  /** Whose end ends the service too. Without it the service has one of its own, which removes the folder after a crash. */
  readonly guard?: Guard | undefined;
};

/**
 * Debian's commands in /usr/sbin switch to another user, and from its own folder there; those in the package's folder run as
 * whoever calls them.
 */
const folders = ['/usr/lib/rabbitmq/bin', '/usr/local/sbin', '/opt/homebrew/sbin'];
const need = {
  name: 'RabbitMQ',
  find: () => findIn(folders, 'rabbitmq-server') ?? findProgram(['rabbitmq-server']),
  packages: ['rabbitmq-server'],
  variable: 'HUSTINGS_TEST_RABBITMQ_URL',
};
const image = 'rabbitmq:4.1';
const answerMsMax = 5_000;

/** Its data are in the folder, which is made if it is missing; on a free port of 127.0.0.1. The user is `guest`. */
export async function startRabbitmq(folder: string, options: RabbitmqOptions = {}): Promise<RabbitmqService> {
  const command = await provideProgram(need);
  await mkdir(folder, { recursive: true });
  const ports = { amqp: await findFreePort(), distribution: await findFreePort(), epmd: await findFreePort() };
  const service = await withGuard(folder, options.guard, (guard) =>
    command === null ? startContained(ports.amqp, guard) : startNode(command, folder, ports, guard),
  );
  const settle = async (): Promise<void> => {
    await service.control('eval', '[dets:sync(Table) || Table <- dets:all()].');
  };
  return { ...service, settle, url: urlOf(ports.amqp) };
}

type Node = RunningService & Pick<RabbitmqService, 'control'>;

async function startContained(port: number, guard: Guard): Promise<Node> {
  // The node's name, and so the place of its data, comes from the name of the host.
  const options = ['--hostname', 'hustings', '--publish', `127.0.0.1:${port}:5672`];
  const service = await startContainer({ image, options, answers: () => answersAmqp(port) }, guard);
  return { ...service, control: (...args) => service.execute('rabbitmqctl', ...args) };
}

async function startNode(command: string, folder: string, ports: Ports, guard: Guard): Promise<Node> {
  await writeFile(path.join(folder, 'enabled_plugins'), '[].\n');
  await writeFile(path.join(folder, 'rabbitmq.conf'), configuration);
  const env = toEnvironment(folder, ports);
  // Left to itself, the node would start one that outlives it.
  const epmd = await startProgram(
    {
      name: 'epmd',
      command: 'epmd',
      args: ['-port', String(ports.epmd)],
      env,
      folder,
      answers: () => answersOn(ports.epmd),
    },
    guard,
  );
  try {
    const node = await startProgram(
      { name: need.name, command, args: [], env, folder, answers: () => answersAmqp(ports.amqp) },
      guard,
    );
    const tool = path.join(path.dirname(command), 'rabbitmqctl');
    return {
      ...node,
      stop: () => node.stop().finally(() => epmd.stop()),
      async control(...args) {
        const { stdout } = await run(tool, ['--quiet', ...args], { env: { PATH: process.env['PATH'], ...env } });
        return stdout.trim();
      },
    };
  } catch (error) {
    await epmd.stop();
    throw error;
  }
}

/** It says on its output what is worth a warning, and nothing in files of its own. */
const configuration = 'log.console = true\nlog.console.level = warning\nlog.file = false\n';

type Ports = { readonly amqp: number; readonly distribution: number; readonly epmd: number };

function toEnvironment(folder: string, ports: Ports): Record<string, string> {
  return {
    // Where Erlang keeps the cookie by which nodes know each other.
    HOME: folder,
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `hustings-${ports.amqp}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_MNESIA_BASE: path.join(folder, 'data'),
    RABBITMQ_LOG_BASE: path.join(folder, 'log'),
    RABBITMQ_PID_FILE: path.join(folder, 'rabbitmq.pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: path.join(folder, 'rabbitmq.conf'),
    // Files that are not there, lest those of the machine be read.
    RABBITMQ_ADVANCED_CONFIG_FILE: path.join(folder, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: path.join(folder, 'rabbitmq-env.conf'),
    // The script puts the node in its own place, so that the number is the node's and a signal reaches it.
    detached: 'true',
  };
}

async function answersAmqp(port: number): Promise<boolean> {
  if (!(await answersOn(port))) return false;
  const connection = new Connection({ url: urlOf(port), connectionTimeout: answerMsMax });
  try {
    await once(connection, 'connection', { signal: AbortSignal.timeout(answerMsMax) });
    return true;
  } finally {
    connection.on('error', () => undefined).unsafeDestroy();
  }
}

function urlOf(port: number): string {
  return `amqp://guest:guest@127.0.0.1:${port}`;
}
