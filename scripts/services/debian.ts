/** Debian's packages, installed where tests need a program that is missing and this user may. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../run-install.mjs';
import { isProgram } from './installed.ts';
import { isCode } from './system-code.ts';

const lock = path.resolve(import.meta.dirname, '../../.cache/debian.lock');
const aptGet = '/usr/bin/apt-get';
const policyFile = '/usr/sbin/policy-rc.d';
const outputCharsMax = 2_000;

/**
 * Installs packages unless another command has done so meanwhile, which `isMissing` tells. The services in them are not
 * started. Answers why it could not, or null.
 */
export async function installDebianPackages(
  packages: readonly string[],
  isMissing: () => boolean,
): Promise<string | null> {
  if (process.platform !== 'linux' || !isProgram(aptGet)) return 'this system has no apt-get';
  if (process.getuid?.() !== 0) return 'only root can have it installed';
  return withLock(lock, async () => (isMissing() ? installNow(packages) : null));
}

async function installNow(packages: readonly string[]): Promise<string | null> {
  process.stderr.write(`Installing ${packages.join(', ')} for the tests ...\n`);
  const allowServices = forbidServices();
  try {
    const waiting = ['-o', 'DPkg::Lock::Timeout=300'];
    const steps = [
      [...waiting, 'update'],
      [...waiting, 'install', '-y', '--no-install-recommends', ...packages],
    ];
    for (const args of steps) {
      const { code, output } = await runAptGet(args);
      if (code !== 0) return `apt-get ${args[waiting.length]} failed:\n${output.slice(-outputCharsMax)}`;
    }
    return null;
  } finally {
    allowServices();
  }
}

/**
 * Debian starts the services of a package as it installs it, unless this file says no. One that is there already is the
 * administrator's and stays. Ours says no only while this process lives: left behind by a killed one, it forbids nothing.
 */
function forbidServices(): () => void {
  const text = `#!/bin/sh\n# Of a test run of Hustings.\nif [ -d /proc/${process.pid} ]; then exit 101; fi\nexit 0\n`;
  try {
    writeFileSync(policyFile, text, { flag: 'wx', mode: 0o755 });
  } catch (error) {
    if (isCode(error, 'EEXIST')) return () => undefined;
    throw error;
  }
  return () => rmSync(policyFile, { force: true });
}

function runAptGet(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn(aptGet, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
