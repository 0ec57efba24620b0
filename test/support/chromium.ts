/** The browser that the tests in test/e2e drive: found on this machine, or installed where that is possible. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const commandNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
/** Chromium, and letters that many questions are written in. */
const packages = ['chromium', 'fonts-noto-core', 'fonts-noto-color-emoji'];
const outputCharsMax = 2_000;

/**
 * By CHROMIUM_PATH, else by the names under which systems install it; null where there is none.
 * @throws {Error} where CHROMIUM_PATH names no program
 */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM_PATH'] ?? '';
  if (named !== '' && !isProgram(named)) throw new Error(`CHROMIUM_PATH is ${named}, which is no program.`);
  if (named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const places = commandNames.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...places, ...applications].find(isProgram) ?? null;
}

/** Installs Debian's Chromium. Answers why it could not, or null. */
export async function installChromium(): Promise<string | null> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can have it installed';
  if (!isProgram('/usr/bin/apt-get')) return 'this system has no apt-get';
  process.stderr.write('Installing Chromium for the tests in a browser ...\n');
  const waiting = ['-o', 'DPkg::Lock::Timeout=300'];
  const steps = [
    [...waiting, 'update'],
    [...waiting, 'install', '-y', '--no-install-recommends', ...packages],
  ];
  for (const args of steps) {
    const { code, output } = await runAptGet(args);
    if (code !== 0) return `apt-get ${args.at(2)} failed:\n${output.slice(-outputCharsMax)}`;
  }
  return null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function runAptGet(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn('/usr/bin/apt-get', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
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
