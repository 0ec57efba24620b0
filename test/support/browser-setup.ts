/** What tests of pages need, once a run: the pages as they are in the sources now, and a browser to look at them with. */
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildMissingPages } from '../../scripts/run-pages.mjs';
import { findChromium, installChromium } from './chromium.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** null: there is no browser on this machine, and the tests that need one are skipped. */
    chromiumPath: string | null;
  }
}

const root = path.resolve(import.meta.dirname, '../..');

export default async function setup(project: TestProject): Promise<void> {
  await buildMissingPages({ root, binary: process.execPath, environment: process.env });
  project.provide('chromiumPath', findChromium() ?? (await obtainChromium()));
}

/** @throws {Error} in CI, where nothing may be left out in silence */
async function obtainChromium(): Promise<string | null> {
  const reason = await installChromium();
  const chromiumPath = findChromium();
  if (chromiumPath !== null) return chromiumPath;
  const remedy = 'Install Chromium or Google Chrome, or name one in CHROMIUM_PATH.';
  const absence = `There is no browser: ${reason ?? 'apt-get installed none'}. ${remedy}`;
  if ((process.env['CI'] ?? 'false') !== 'false') throw new Error(absence);
  process.stderr.write(`The tests in test/e2e are skipped. ${absence}\n`);
  return null;
}
