/** The crash test of an installation with one broker. */
import { expect, onTestFinished, test } from 'vitest';
import type { Fault } from '../crash/checker.ts';
import type { Clients } from '../crash/clients.ts';
import { createRandom, pickSeed, shuffled } from '../crash/random.ts';
import { expectAllAlive, sparesServers, strike, toFaultPlan, untilReady } from './faults.ts';
import { startInstallation, type BrokerName, type Installation } from './installation.ts';
import { expectAnswered, expectSound, startLoad, untilAcknowledged, whileUnderWay } from './load.ts';

/** Acknowledged ballots before each fault: it strikes an installation that is at work, at a moment drawn by lot. */
const acknowledgedMin = 50;
const acknowledgedMax = 250;
const killsMin = 15;
const testMsMax = 300_000;

export function testCrashes(broker: BrokerName): void {
  test(
    `kills under load with ${broker} lose no acknowledged ballot, double none and leave every surface right`,
    {
      timeout: testMsMax,
    },
    async () => {
      const seed = pickSeed();
      console.log(`crash test with ${broker} and HUSTINGS_CRASH_SEED=${seed}`);
      const random = createRandom(seed);
      const installation = await startInstallation(broker, { serverCount: 2 });
      onTestFinished(installation.stop);
      const load = await startLoad(installation, random);
      const { clients } = load;
      const faults = await strikeAll(installation, clients, random);
      const kills = faults.filter(({ kind }) => kind !== 'stop worker');
      expect(kills.length).toBeGreaterThanOrEqual(killsMin);
      await expectSound(installation, load, {
        name: `${broker}-${seed}`,
        faults,
        faultsMin: faults.length,
        acknowledgedMin: faults.length * acknowledgedMin,
      });
      const requests = clients.history.filter(({ kind }) => kind === 'sent').length;
      console.log(
        `${broker}: seed ${seed}, ${kills.length} kills, ${requests} requests, ${clients.acknowledged()} acknowledged`,
      );
    },
  );
}

async function strikeAll(struckAt: Installation, clients: Clients, random: () => number): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const kind of shuffled(toFaultPlan(struckAt.broker.name), random)) {
    await untilAcknowledged(clients, acknowledgedMin + Math.floor(random() * (acknowledgedMax - acknowledgedMin)));
    if (sparesServers(kind)) await untilReady(struckAt.servers);
    const struck = await whileUnderWay(clients);
    faults.push({ kind, underWay: struck.length });
    await strike(kind, struckAt, random);
    // Whoever waits when something dies behind the servers gets an answer.
    if (sparesServers(kind)) await expectAnswered(clients, struck);
  }
  await untilAcknowledged(clients, acknowledgedMin);
  await expectAllAlive(struckAt);
  return faults;
}
