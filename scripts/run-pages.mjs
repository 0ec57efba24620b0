// Builds the pages where they are older than their sources, before a program that shows them is run.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { BootstrapError, runCaptured } from './run-child.mjs';
import { withLock } from './run-install.mjs';

const sources = ['web', 'protocol', 'vite.config.ts', 'scripts/build-pages.ts', 'package-lock.json'];

export async function buildMissingPages({ root, binary, environment }) {
  const stamp = wantedStamp(root);
  const isBuilt = () => readStamp(root) === stamp;
  // A folder of finished pages without their sources is a container's: there is nothing to build, and nothing to build with.
  if (isBuilt() || !fs.existsSync(path.join(root, 'web'))) return;
  fs.mkdirSync(path.join(root, '.cache'), { recursive: true });
  await withLock(path.join(root, '.cache', 'install.lock'), async () => {
    if (isBuilt()) return;
    process.stderr.write('Building the pages …\n');
    const script = path.join(root, 'scripts', 'build-pages.ts');
    const { code, output } = await runCaptured(binary, [script, stamp], { cwd: root, env: environment });
    if (code !== 0) throw new BootstrapError(`The pages could not be built:\n${output}`);
  });
}

function readStamp(root) {
  const file = path.join(root, 'dist', 'stamp');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

function wantedStamp(root) {
  const hash = createHash('sha256');
  for (const source of sources) addTo(hash, root, source);
  return hash.digest('hex');
}

function addTo(hash, root, place) {
  const full = path.join(root, place);
  const stat = fs.statSync(full, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory()) {
    for (const name of fs.readdirSync(full).sort()) addTo(hash, root, `${place}/${name}`);
  } else {
    hash.update(`${place}\n`).update(fs.readFileSync(full));
  }
}
