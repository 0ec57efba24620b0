/** The passwords of one installation, as deploy/make-env.sh writes them. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { deployFolder, type Variables } from './compose-file.ts';

/** Runs the script on a copy in the folder, as an administrator runs it in deploy/. */
export function makeEnvFile(folder: string): { file: string; variables: Variables } {
  const script = path.join(folder, 'make-env.sh');
  copyFileSync(path.join(deployFolder, 'make-env.sh'), script);
  execFileSync('sh', [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const file = path.join(folder, '.env');
  return { file, variables: parseEnv(readFileSync(file, 'utf8')) as Variables }; // Only names that the script writes.
}
