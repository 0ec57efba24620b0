/** Each profile of deploy/compose.yaml keeps the lines of its contract, and still does after `kill -9` of some of its processes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGuard, type Guard } from '../../scripts/services/guard.ts';
import { contractProfiles } from '../deploy/compose-file.ts';
import { layOutImage } from '../deploy/dockerfile.ts';
import { contractRuns, type Line } from './contract-lines.ts';
import { startDeployment, type Deployment } from './deployment.ts';

const run = promisify(execFile);
const patience = { timeout: 60_000, interval: 200 };

const folder = mkdtempSync(path.join(tmpdir(), 'hustings-deploy-'));
let guard: Guard;
let app: string;

beforeAll(() => {
  guard = openGuard(folder);
  app = layOutImage('slim', path.join(folder, 'image'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  await guard.close();
});

test.for(contractProfiles)('the profile %s answers as its contract says, also after kill -9', async (profile) => {
  const contract = contractRuns[profile] ?? { victims: [], lines: [] };
  const place = path.join(folder, profile);
  mkdirSync(place);
  const deployment = await startDeployment(profile, { app, folder: place, guard });
  try {
    for (const round of [1, 2]) {
      if (round === 2) await Promise.all(contract.victims.map((victim) => deployment.kill(victim)));
      await takeRound(profile, deployment, round);
    }
    const statuses = await deployment.stop();
    // A signal reaches each process, which finishes what it has begun.
    expect(statuses.length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set([0]));
  } finally {
    await deployment.stop();
  }
});

async function takeRound(profile: string, deployment: Deployment, round: number): Promise<void> {
  const { lines, token, victims } = contractRuns[profile] ?? { victims: [], lines: [] };
  const kept: Record<string, string> = {};
  if (token !== undefined) kept['TOKEN'] = await deployment.execute(...token(round));
  const when = round === 1 ? 'started' : `after kill -9 of ${victims.join(', ')}`;
  for (const each of lines) {
    Object.assign(kept, await take(each, deployment, { round, kept }));
    console.log(`${profile}, ${when}: passed  ${each.line}`);
  }
}

/** Runs the line until its answer is right, once where nobody else has to do something first. Answers what it keeps. */
async function take(
  { line, answers, patiently = false, keeps }: Line,
  { places }: Deployment,
  { round, kept }: { round: number; kept: Readonly<Record<string, string>> },
): Promise<Readonly<Record<string, string>>> {
  const expected = answers(round);
  let body = '';
  const check = async (): Promise<void> => {
    body = await ask(line, places, kept);
    if (typeof expected === 'string') expect(body, line).toContain(expected);
    else expect(JSON.parse(body), line).toMatchObject(expected);
  };
  if (patiently) await expect.poll(() => check().then(() => 'right'), patience).toBe('right');
  else await check();
  return keeps?.(body) ?? {};
}

/** What a shell says to the line, where the published ports are those of this run. */
async function ask(
  line: string,
  places: Deployment['places'],
  kept: Readonly<Record<string, string>>,
): Promise<string> {
  const placed = [...places].reduce((text, [written, real]) => text.replaceAll(written, real), line);
  const { stdout } = await run('sh', ['-c', placed.replace(/^curl /u, 'curl --silent --show-error ')], {
    env: { PATH: process.env['PATH'], ...kept },
  });
  return stdout;
}
