// What run.mjs installs when something is missing: a newer Node under .cache/, and the packages of package-lock.json.
import * as fs from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import { BootstrapError, runCaptured } from './run-child.mjs';

/** A lock that nobody touched for so long was left behind by a killed command: its holder touches it every second. */
const lockSilentMsMax = 10_000;

/**
 * Brings the folder to where run.mjs can go on, or throws. Only one command at a time installs, and each looks again when
 * its turn comes, because another may have installed meanwhile. It can be killed at any moment and simply run again.
 */
export async function installMissing(context) {
  const hasNode = () => fs.existsSync(context.node.binary);
  const hasPackages = () => context.isStamped() || isInstalledByHand(context);
  if (hasNode() && hasPackages()) return;
  try {
    await withLock(path.join(context.root, '.cache', 'install.lock'), async () => {
      if (!hasNode()) await installNode(context);
      if (!hasPackages()) await installPackages(context);
    });
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
    throw new BootstrapError(`Something must be installed first, but this user may not write to ${error.path}`);
  }
}

/** Installs beside the final folder and renames, so that half a Node is never taken for a whole one. */
async function installNode({ root, node, environment }) {
  const { name, version } = node.source;
  const staging = path.join(root, '.cache', 'node', 'staging');
  fs.rmSync(staging, { recursive: true, force: true });
  fs.mkdirSync(staging, { recursive: true });
  try {
    const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
    const args = ['install', `${name}@${version}`, '--prefix', staging, '--ignore-scripts', ...quiet];
    await runNpm(`Installing Node ${version} for this folder`, args, { root, environment, node: process.execPath });
    const installed = path.join(staging, 'node_modules', name);
    const binary = path.join(installed, path.relative(node.folder, node.binary));
    const { code, output } = await runCaptured(binary, ['--version'], { cwd: root });
    if (code !== 0 || output.trim() !== `v${version}`) {
      throw new BootstrapError(`Node ${version} from npm does not run on this machine:\n${output}`);
    }
    fs.renameSync(installed, node.folder);
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** The stamp and npm's record go first, and the stamp comes back last, so that an interrupted installation is done again. */
async function installPackages({ root, node, environment, stamp, stampFile }) {
  for (const file of [stampFile, recordBeside(stampFile)]) fs.rmSync(file, { force: true });
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  await runNpm('Installing packages', args, { root, environment, node: node.binary });
  fs.writeFileSync(stampFile, stamp);
}

/** Whether an `npm install` by hand left all that package-lock.json asks for, by npm's own record of node_modules. */
function isInstalledByHand({ root, stamp, stampFile }) {
  const record = recordBeside(stampFile);
  if (!fs.existsSync(record) || !isLockCurrent(root)) return false;
  const wanted = readJson(path.join(root, 'package-lock.json')).packages;
  const found = readJson(record).packages;
  if (!Object.entries(wanted).every(([place, entry]) => place === '' || isFound(entry, found[place]))) return false;
  try {
    fs.writeFileSync(stampFile, stamp);
  } catch (error) {
    // Without the stamp the next start looks this up again; packages that are complete but read-only cost only that.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
  return true;
}

/** Where npm notes what it put into node_modules. */
function recordBeside(stampFile) {
  return path.join(path.dirname(stampFile), '.package-lock.json');
}

function isLockCurrent(root) {
  const manifest = readJson(path.join(root, 'package.json'));
  const locked = readJson(path.join(root, 'package-lock.json')).packages[''];
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(
    (list) => JSON.stringify(sorted(manifest[list])) === JSON.stringify(sorted(locked[list])),
  );
}

const sorted = (versions = {}) => Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function isFound(wanted, found) {
  if (found !== undefined) return found.version === wanted.version && found.integrity === wanted.integrity;
  // npm leaves out what is for other platforms, and what only that needs, which names no platform itself.
  const isForHere = wanted.os?.includes(process.platform) && wanted.cpu?.includes(process.arch) && !wanted.libc;
  return wanted.optional === true && !isForHere;
}

async function runNpm(label, args, { root, environment, node }) {
  const env = { ...environment };
  const cache = env.npm_config_cache ?? path.join(homedir(), '.npm');
  if (!canWrite(cache)) env.npm_config_cache = path.join(root, '.cache', 'npm');
  const script = env.npm_execpath ?? '';
  const isNpm = path.basename(script) === 'npm-cli.js';
  await withProgress(label, async () => {
    const { code, output } = isNpm
      ? await runCaptured(node, [script, ...args], { cwd: root, env })
      : await runCaptured('npm', args, { cwd: root, env, shell: process.platform === 'win32' });
    if (code !== 0) throw new BootstrapError(`${output}\n${label} failed; above is what npm says.`);
  });
}

/** Whether this user can make files in the folder, or make the folder itself. */
function canWrite(folder) {
  while (!fs.existsSync(folder)) folder = path.dirname(folder);
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** One line for a long step: with running seconds in a terminal, else one at its start and one at its end. */
async function withProgress(label, task) {
  const { stderr } = process;
  const startedMs = Date.now();
  const line = () => `${label} ... ${Math.round((Date.now() - startedMs) / 1000)} s`;
  stderr.write(stderr.isTTY ? line() : `${label} ...\n`);
  const timer = stderr.isTTY ? setInterval(() => stderr.write(`\r${line()}`), 1000) : undefined;
  try {
    await task();
    stderr.write(stderr.isTTY ? `\r${line()}, done` : `${line()}, done`);
  } finally {
    clearInterval(timer);
    stderr.write('\n');
  }
}

/** A file that only one process can make is the lock. It names its holder and is touched while the holder lives. */
export async function withLock(lock, task) {
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  if (!tryLock(lock)) {
    await withProgress('Waiting for another command that is installing', async () => {
      while (!tryLock(lock)) await new Promise((resolve) => setTimeout(resolve, 200));
    });
  }
  // A touch that fails leaves an old time, and the worst that follows is that another command takes the lock over.
  const beat = setInterval(() => fs.utimes(lock, new Date(), new Date(), () => undefined), 1000);
  try {
    return await task();
  } finally {
    clearInterval(beat);
    fs.rmSync(lock, { force: true });
  }
}

function tryLock(lock) {
  if (isLeftBehind(lock)) fs.rmSync(lock, { force: true });
  try {
    fs.writeFileSync(lock, JSON.stringify({ host: hostname(), pid: process.pid }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** A holder on this machine is asked whether it lives; one elsewhere, on a shared folder, is known by its touches alone. */
function isLeftBehind(lock) {
  if (!fs.existsSync(lock)) return false;
  try {
    const { mtimeMs } = fs.statSync(lock);
    if (Date.now() - mtimeMs > lockSilentMsMax) return true;
    const { host, pid } = JSON.parse(fs.readFileSync(lock, 'utf8'));
    return host === hostname() && !isAlive(pid);
  } catch {
    // It was released, or is being written, at this very moment.
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
