/**
 * Several processes on one machine that answer on one port: each is a whole server, and the system gives each new connection to one
 * of them (SO_REUSEPORT). They know of each other's ballots as servers on several machines do, by the ledger and the bus.
 *
 * This process, which starts them, keeps the database that they share, and starts again whichever ends. It answers nobody itself, so
 * nothing that a client does can reach what keeps the others alive.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComposeOptions, Member, Running } from '../compose.ts';
import type { Config } from '../config.ts';
import { SettingError } from '../lib/setting-table.ts';
import { openLedger } from '../open-ledger.ts';
import { createDrain } from '../ops/drain.ts';

/** What a process says of itself once it answers. */
export type MemberReport = Pick<Running, 'resultsPort' | 'metricsPort' | 'sample'>;

/** What a process tells the one that started it. */
export type MemberNews = { readonly ready: MemberReport } | { readonly failed: string };

export type ProcessesOptions = ComposeOptions & {
  /** Starts a process that serves as this member, and says so with `MemberNews`. It ends when it is disconnected. */
  readonly fork: (member: Member) => ChildProcess;
};

export type RunningProcesses = MemberReport & { readonly port: number; stop(): Promise<void> };

type MemberProcess = { readonly child: ChildProcess; readonly ended: Promise<void> };

const restartMsMin = 500;
const restartMsMax = 30_000;
/** A process that lived so long before it ended is started again at once. */
const steadyMs = 60_000;
/** Beyond the time that the processes give themselves. */
const killMs = 5_000;

/** Answers when all of them answer. @throws {Error} one line for whoever starts the server */
export async function startProcesses(config: Config, options: ProcessesOptions): Promise<RunningProcesses> {
  const { log } = options;
  if (process.platform !== 'linux') throw new SettingError('--processes above 1 needs Linux.');
  const ledger = await openLedger(config, options);
  const members = new Map<number, MemberProcess>();
  let stopping = false;

  async function stopAll(): Promise<void> {
    stopping = true;
    await Promise.all([...members.values()].map((member) => endMember(member, config.drainTimeoutMs + killMs)));
  }

  /** Rejects where the process does not come to answer; from then on it is started again whenever it ends. */
  async function start(member: Member): Promise<MemberReport> {
    const child = options.fork(member);
    const ended = once(child, 'exit').then(() => undefined);
    members.set(member.no, { child, ended });
    const report = await readReport(child, ended);
    const startedAt = performance.now();
    void ended.then(() => {
      if (stopping) return;
      log.error({ member: member.no, code: child.exitCode, signal: child.signalCode }, 'process ended, starting again');
      const isSteady = performance.now() - startedAt >= steadyMs;
      void startAgain(member, isSteady ? 0 : restartMsMin);
    });
    return report;
  }

  async function startAgain(member: Member, waitMs: number): Promise<void> {
    await sleep(waitMs, undefined, { ref: false });
    if (stopping) return;
    try {
      await start(member);
      log.warn({ member: member.no }, 'process back');
    } catch (error) {
      log.error({ err: error, member: member.no }, 'process does not come back');
      await startAgain(member, Math.min(restartMsMax, Math.max(restartMsMin, waitMs * 2)));
    }
  }

  const stop = createDrain({ timeoutMs: config.drainTimeoutMs + 2 * killMs, log }, [
    ['processes', stopAll],
    ['ledger', ledger.close],
  ]);
  try {
    const port = await findFreePort(config);
    const numbers = Array.from({ length: config.processes }, (_, index) => index + 1);
    const reports = await Promise.all(numbers.map((no) => start({ no, port })));
    const [first] = reports;
    if (first === undefined) throw new Error('There is at least one process.');
    return { ...first, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The port, if nobody has it. The processes share it among themselves, and would with strangers: two servers that were started with the
 * same port by mistake would each get half of the voters.
 */
async function findFreePort({ host, port }: Config): Promise<number> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const found = (server.address() as AddressInfo).port; // It listens on TCP.
  server.close();
  await once(server, 'close');
  return found;
}

/** @throws {Error} what the process could not do */
function readReport(child: ChildProcess, ended: Promise<void>): Promise<MemberReport> {
  return new Promise((resolve, reject) => {
    child.once('message', (news: MemberNews) => {
      if ('ready' in news) resolve(news.ready);
      else reject(new Error(news.failed));
    });
    child.once('error', reject);
    void ended.then(() => reject(new Error('A process ended before it answered.')));
  });
}

/** It stops by itself when nobody listens to it any more. */
async function endMember({ child, ended }: MemberProcess, timeoutMs: number): Promise<void> {
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timer);
}
