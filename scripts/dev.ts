/**
 * `npm run dev`: the server, begun anew with every change, and pages that are as new as their sources. What follows `--` goes to
 * `hustings serve`. Pages in a browser reload by themselves when the new server answers (server/pages/dev-routes.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findChanges, scanPlaces, toWork, type Work } from './dev-work.ts';

const root = path.resolve(import.meta.dirname, '..');
const watched = ['web', 'protocol', 'server', 'vite.config.ts'];
const scanMs = 200;
/** How soon the end of the npm that started this program is noticed. */
const parentCheckMs = 500;
const serveArguments = process.argv.slice(2);

const stopping = new AbortController();
/** Every child that runs, so that none is left behind. */
const children = new Set<ChildProcess>();

endWithSignals();
let seen = scanPlaces(root, watched);
let server = startServer('inherit');
for (;;) {
  const changed = await nextChanges();
  if (changed === null) break;
  const work = toWork(changed);
  if (work === 'nothing') continue;
  say(`Changed: ${changed.join(', ')}`);
  await renew(work);
}
await stop(server);
process.exit();

async function renew(work: Exclude<Work, 'nothing'>): Promise<void> {
  // Where the pages cannot be built, the server goes on with the old ones.
  if (work === 'pages' && !(await buildPages())) return;
  await stop(server);
  if (!stopping.signal.aborted) server = startServer('ignore');
}

/** The way of every other npm script, so that `npm start` and `npm test` find the pages built. */
async function buildPages(): Promise<boolean> {
  const build = run(['scripts/run.mjs', '--pages', 'node', '--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await ended(build);
  return build.exitCode === 0;
}

/** `words`: what becomes of the greeting and the like, which is read once. Errors are always shown. */
function startServer(words: 'inherit' | 'ignore'): ChildProcess {
  const child = run(['server/hustings.mjs', 'serve', ...serveArguments], {
    stdio: ['inherit', words, 'inherit'],
    env: { ...process.env, NODE_ENV: 'development' },
  });
  child.once('exit', (code) => {
    const failed = code !== null && code !== 0 && !stopping.signal.aborted;
    if (failed) say('The server has ended. It starts again with the next change.');
  });
  return child;
}

function run(args: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess {
  const child = spawn(process.execPath, args, { cwd: root, ...options });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (!children.has(child)) return;
  child.kill('SIGTERM');
  await ended(child);
}

async function ended(child: ChildProcess): Promise<void> {
  if (children.has(child)) await once(child, 'exit');
}

/** Waits until files have changed and no more do, because an editor saves in several steps; null when this program is to end. */
async function nextChanges(): Promise<string[] | null> {
  let before: string[] = [];
  for (;;) {
    await pause(scanMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return null;
    const now = scanPlaces(root, watched);
    const changed = findChanges(seen, now);
    if (changed.length > 0 && changed.join('\n') === before.join('\n')) {
      seen = now;
      return changed;
    }
    before = changed;
  }
}

/**
 * Ctrl-C reaches the children by themselves, `kill <this process>` does not: so each signal is passed on. The server takes
 * one that comes twice within a second for one, and ends at once when it is asked again later.
 */
function endWithSignals(): void {
  const end = (signal: NodeJS.Signals): void => {
    for (const child of children) child.kill(signal);
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && !stopping.signal.aborted) end('SIGTERM');
  }, parentCheckMs).unref();
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
