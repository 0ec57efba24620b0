#!/usr/bin/env node
/** The command line. The only file that touches `process`. */
import pino from 'pino';
import { parseCommandLine, type Invocation } from './command-line.ts';
import { bulk } from './commands/bulk.ts';
import { migrateAlone } from './commands/migrate.ts';
import { queue } from './commands/queue.ts';
import { describeRing } from './commands/ring.ts';
import { seedDuel, seedVotes } from './commands/seed.ts';
import { serve } from './commands/serve.ts';
import { makeToken } from './commands/token.ts';
import { verify } from './commands/verify.ts';
import { toPublicUrl } from './config.ts';
import { startWorker } from './run-worker.ts';
import { createProgressLine } from './lib/progress-line.ts';
import { readEnvFile, SettingError } from './lib/setting-table.ts';
import { readVersion } from './lib/version.ts';

const usageStatus = 2;
/** A signal that comes again so soon is the same one: Ctrl-C reaches the whole process group, and npm passes it on besides. */
const sameSignalMs = 1_000;

async function main(): Promise<void> {
  const invocation = parseCommandLine({ argv: process.argv.slice(2), env: process.env, envFile: readEnvFile() });
  if (invocation.command === 'help') return say(invocation.text);
  if (invocation.command === 'version') return say(readVersion());
  const log = pino({ level: invocation.config.logLevel, base: null }, pino.destination({ dest: 2, sync: false }));
  const options = { log, onProgress: say, onLost: fail };
  switch (invocation.command) {
    case 'serve':
      return runServer(invocation, options);
    case 'worker':
      return runWorker(invocation, options);
    case 'queue':
      return say(await queue(invocation.config, invocation.options.action ?? 'length', log));
    case 'ring':
      return say(await describeRing(invocation.config, invocation.options, options));
    case 'migrate':
      return say(await migrateAlone(invocation.config, options));
    case 'verify': {
      const { agree, report } = await verify(invocation.config, options);
      process.exitCode = agree ? 0 : 1;
      return say(report);
    }
    // What is rarely asked for is loaded only then: every start is the quicker for it.
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
      const { well, report } = await diagnose(invocation.config, invocation.options, log);
      // A service that takes connections and never answers would keep its client, and the process with it.
      process.stdout.write(`${report}\n`, () => process.exit(well ? 0 : 1));
      return;
    }
    case 'token': {
      const { config, options: request } = invocation;
      return say(await makeToken(config, { ...request, now: Date.now() }));
    }
    case 'bulk':
      return runBulk(invocation);
    case 'seed':
      return runSeed(invocation);
  }
}

type ServeOptions = Parameters<typeof serve>[1];

async function runServer({ config }: Extract<Invocation, { command: 'serve' }>, options: ServeOptions): Promise<void> {
  // A signal during the start is heard too: what was started by then is ended, the database first of all.
  const started = serve(config, options);
  onStopSignal(() => {
    say('Stopping: answering what is under way …');
    void started.then(({ running }) => running.stop()).then(() => process.exit(0));
  });
  say((await started).banner);
}

async function runWorker({ config }: Extract<Invocation, { command: 'worker' }>, options: ServeOptions): Promise<void> {
  const started = startWorker(config, options);
  onStopSignal(() => {
    say('Stopping: finishing what is in hand …');
    void started.then((worker) => worker.stop()).then(() => process.exit(0));
  });
  await started;
  say(`The worker is ready: it records what comes from ${config.ingestLog.name}. Stop with Ctrl-C.`);
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
  const { file, poll, url = toPublicUrl(config) } = options;
  const { counted, refused } = await bulk({ file, poll, url }, (line, code, detail) => {
    process.stderr.write(`line ${line}: ${code}: ${detail}\n`);
  });
  const refusals = [...refused].map(([code, count]) => `${count} ${code}`);
  say([`${counted} counted`, ...refusals].join(', '));
  process.exitCode = refused.size === 0 ? 0 : 1;
}

async function runSeed({ config, options }: Extract<Invocation, { command: 'seed' }>): Promise<void> {
  const { url = toPublicUrl(config) } = options;
  const progress = createProgressLine(process.stderr, 'Casting votes', seedVotes);
  const { a, b, retries } = await seedDuel({ url, onProgress: progress.show }).finally(progress.end);
  say(`${a + b} votes cast at ${url}: ${a} a, ${b} b${retries === 0 ? '' : `, after ${retries} retries`}.`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line for whoever started the program. */
function fail(error: unknown): void {
  process.stderr.write(`hustings: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof SettingError ? usageStatus : 1);
}

main().catch(fail);
