/** The browser that the tests in test/e2e drive: found on this machine, or installed where that is possible. */
import { installDebianPackages } from '../../scripts/services/debian.ts';
import { findProgram, isProgram } from '../../scripts/services/installed.ts';

const commandNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
/** Chromium, and letters that many questions are written in. */
const packages = ['chromium', 'fonts-noto-core', 'fonts-noto-color-emoji'];

/**
 * By CHROMIUM_PATH, else by the names under which systems install it; null where there is none.
 * @throws {Error} where CHROMIUM_PATH names no program
 */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM_PATH'] ?? '';
  if (named !== '' && !isProgram(named)) throw new Error(`CHROMIUM_PATH is ${named}, which is no program.`);
  if (named !== '') return named;
  return findProgram(commandNames) ?? applications.find(isProgram) ?? null;
}

/** Installs Debian's Chromium if it is missing. Answers why it could not, or null. */
export function installChromium(): Promise<string | null> {
  return installDebianPackages(packages, () => findChromium() === null);
}
