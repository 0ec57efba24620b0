/** The command line. The only file that touches `process`. */
import { fork } from 'node:child_process';
import path from 'node:path';
import pino from 'pino';
import { parseCommandLine, type Invocation } from './command-line.ts';
import { toMetricsPlace } from './commands/banner.ts';
import { serve } from './commands/serve.ts';
import type { MemberNews } from './commands/serve-processes.ts';
import { startHustings, type ComposeOptions, type Member } from './compose.ts';
import { toPublicUrl, type Config } from './config.ts';
import { createLogOutput } from './lib/log-output.ts';
import { createProgressLine } from './lib/progress-line.ts';
import { readEnvFile, SettingError } from './lib/setting-table.ts';
import { readVersion } from './lib/version.ts';

const usageStatus = 2;
const charactersWaitingMax = 4 * 1024 * 1024;
/** The reader of a pipe ended, or the terminal was closed. */
const readerGoneCodes = new Set(['EPIPE', 'EIO']);
/** A signal that comes again so soon is the same one: Ctrl-C reaches the whole process group, and npm passes it on besides. */
const sameSignalMs = 1_000;
/** Says to a process that it is one of several, and which. */
const memberVariable = 'HUSTINGS_MEMBER';

async function main(): Promise<void> {
  const invocation = parseCommandLine({ argv: process.argv.slice(2), env: process.env, envFile: readEnvFile() });
  if (invocation.command === 'help') return say(invocation.text);
  if (invocation.command === 'version') return say(readVersion());
  const logOutput = createLogOutput(2, { charactersWaitingMax });
  process.once('exit', logOutput.flushSync);
  const log = pino({ level: invocation.config.logLevel, base: null }, logOutput);
  const options = { log, onProgress: say, onLost: fail };
  switch (invocation.command) {
    case 'serve':
      return runServer(invocation, options);
    case 'worker':
      return runWorker(invocation, options);
    // What is rarely asked for is loaded only then: every start is the quicker for it.
    case 'queue': {
      const { queue } = await import('./commands/queue.ts');
      return say(await queue(invocation.config, invocation.options.action ?? 'length', log));
    }
    case 'ring': {
      const { describeRing } = await import('./commands/ring.ts');
      return say(await describeRing(invocation.config, invocation.options, options));
    }
    case 'migrate': {
      const { migrateAlone } = await import('./commands/migrate.ts');
      return say(await migrateAlone(invocation.config, options));
    }
    case 'verify': {
      const { verify } = await import('./commands/verify.ts');
      const { agree, report } = await verify(invocation.config, options);
      process.exitCode = agree ? 0 : 1;
      return say(report);
    }
    case 'backup': {
      const { backup } = await import('./commands/backup.ts');
      const { backupFile: file } = invocation.options;
      return say(await backup(invocation.config, { file, version: readVersion() }, options));
    }
    case 'restore': {
      const { restore } = await import('./commands/restore.ts');
      const { agree, report } = await restore(invocation.config, invocation.options.restoredFile, options);
      process.exitCode = agree ? 0 : 1;
      return say(report);
    }
    case 'doctor': {
      const { diagnose } = await import('./commands/doctor.ts');
      const { well, report } = await diagnose(invocation.config, log);
      // A service that takes connections and never answers would keep its client, and the process with it.
      process.stdout.write(`${report}\n`, () => process.exit(well ? 0 : 1));
      return;
    }
    case 'token': {
      const { makeToken } = await import('./commands/token.ts');
      const { config, options: request } = invocation;
      return say(await makeToken(config, { ...request, now: Date.now() }));
    }
    case 'bulk':
      return runBulk(invocation);
    case 'seed':
      return runSeed(invocation);
  }
}

async function runServer(
  { config }: Extract<Invocation, { command: 'serve' }>,
  options: ComposeOptions,
): Promise<void> {
  const member = process.env[memberVariable];
  if (member !== undefined) return runMember(config, { ...options, member: JSON.parse(member) as Member }); // As `forkMember` wrote it.
  // A signal during the start is heard too: what was started by then is ended, the database first of all.
  const started = serve(config, { ...options, fork: forkMember });
  onStopSignal(() => {
    say('Stopping: answering what is under way …');
    void started.then(({ running }) => running.stop()).then(() => process.exit(0));
  });
  say((await started).banner);
}

function forkMember(member: Member): ReturnType<typeof fork> {
  return fork(path.join(import.meta.dirname, 'hustings.mjs'), process.argv.slice(2), {
    env: { ...process.env, [memberVariable]: JSON.stringify(member) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** One of several processes on a port: it tells the one that started it how it is, and ends with it. */
async function runMember(config: Config, options: ComposeOptions): Promise<void> {
  const tell = (news: MemberNews, then: () => void = () => undefined) => process.send?.(news, then);
  const started = startHustings(config, options);
  const stop = (): void => {
    void started.then((running) => running.stop()).then(() => process.exit(0));
  };
  onStopSignal(stop);
  process.once('disconnect', stop);
  try {
    const { resultsPort, metricsPort, sample } = await started;
    tell({ ready: { resultsPort, metricsPort, sample } });
  } catch (error) {
    tell({ failed: toLine(error) }, () => process.exit(1));
  }
}

async function runWorker(
  { config }: Extract<Invocation, { command: 'worker' }>,
  options: ComposeOptions,
): Promise<void> {
  const { startWorker } = await import('./run-worker.ts');
  const started = startWorker(config, options);
  onStopSignal(() => {
    say('Stopping: finishing what is in hand …');
    void started.then((worker) => worker.stop()).then(() => process.exit(0));
  });
  const { metricsPort } = await started;
  const metrics = metricsPort === null ? '' : ` Metrics: ${toMetricsPlace({ ...config, processes: 1 }, metricsPort)}.`;
  say(`The worker is ready: it records what comes from ${config.ingestLog.name}.${metrics} Stop with Ctrl-C.`);
}

function onStopSignal(stop: () => void): void {
  let stoppingSince: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stoppingSince === null) {
        stoppingSince = performance.now();
        stop();
      } else if (performance.now() - stoppingSince > sameSignalMs) {
        // Asked again, it waits for nothing any more; what was acknowledged is safe.
        process.exit(1);
      }
    });
  }
}

async function runBulk({ config, options }: Extract<Invocation, { command: 'bulk' }>): Promise<void> {
  const { bulk } = await import('./commands/bulk.ts');
  const { file, poll, url = toPublicUrl(config) } = options;
  const { counted, refused } = await bulk({ file, poll, url }, (line, code, detail) => {
    process.stderr.write(`line ${line}: ${code}: ${detail}\n`);
  });
  const refusals = [...refused].map(([code, count]) => `${count} ${code}`);
  say([`${counted} counted`, ...refusals].join(', '));
  process.exitCode = refused.size === 0 ? 0 : 1;
}

async function runSeed({ config, options }: Extract<Invocation, { command: 'seed' }>): Promise<void> {
  const { seedDuel, seedVotes } = await import('./commands/seed.ts');
  const { url = toPublicUrl(config) } = options;
  const progress = createProgressLine(process.stderr, 'Casting votes', seedVotes);
  const { a, b, retries } = await seedDuel({ url, onProgress: progress.show }).finally(progress.end);
  say(`${a + b} votes cast at ${url}: ${a} a, ${b} b${retries === 0 ? '' : `, after ${retries} retries`}.`);
}

/** What nobody reads ends neither a server nor a command. What could not be kept, on a full disk, makes a command fail. */
function outliveReaders(): void {
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      if (readerGoneCodes.has(code)) return;
      process.exitCode = 1;
      if (output === process.stdout) process.stderr.write(`hustings: ${message}\n`);
    });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line for whoever started the program. */
function fail(error: unknown): void {
  process.stderr.write(`hustings: ${toLine(error)}\n`);
  process.exit(error instanceof SettingError ? usageStatus : 1);
}

function toLine(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

outliveReaders();
main().catch(fail);
