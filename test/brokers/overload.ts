/** What clients see of an installation whose broker is full, or hangs. */
import { createClient } from '@redis/client';
import { expect, onTestFinished, test } from 'vitest';
import type { Clients } from '../crash/clients.ts';
import type { Ended } from '../crash/history.ts';
import { kill } from '../crash/program.ts';
import { createRandom, pickSeed } from '../crash/random.ts';
import { startInstallation, type Broker, type BrokerName } from './installation.ts';
import { expectSound, startLoad, untilAcknowledged } from './load.ts';

/** Makes the broker full, and makes room again. */
type Fullness = { fill(): Promise<unknown>; release(): Promise<unknown> };

const acknowledgedMin = 200;
const refusalsMin = 100;
const waitMsMax = 60_000;
const testMsMax = 180_000;

export function testOverload(name: BrokerName): void {
  test(
    `while ${name} ${name === 'kafka' ? '' : 'is full or '}hangs, clients hear 503 with Retry-After in time, and what was accepted counts`,
    { timeout: testMsMax },
    async () => {
      const seed = pickSeed();
      const installation = await startInstallation(name, { serverCount: 1 });
      onTestFinished(installation.stop);
      const { broker } = installation;
      const load = await startLoad(installation, createRandom(seed));
      const { clients } = load;
      await untilAcknowledged(clients, acknowledgedMin);
      const fullness = toFullness(broker);
      if (fullness !== null) {
        await fullness.fill();
        await untilRefused(clients);
        await fullness.release();
        await untilAcknowledged(clients, acknowledgedMin);
      }
      kill(broker.pid(), 'SIGSTOP');
      // Everybody is refused once, which takes as long as anybody may wait.
      await untilRefused(clients);
      kill(broker.pid(), 'SIGCONT');
      await untilAcknowledged(clients, acknowledgedMin);
      const ends = endsOf(clients);
      expect(ends.filter(({ answered }) => !answered)).toEqual([]);
      const refusals = ends.flatMap(({ refusal }) => (refusal?.status === 503 ? [refusal] : []));
      expect(refusals.filter(({ retryAfter }) => !retryAfter)).toEqual([]);
      await expectSound(installation, load, {
        name: `overload-${name}-${seed}`,
        faults: [],
        faultsMin: 0,
        acknowledgedMin: 2 * acknowledgedMin,
      });
      console.log(
        `${name}: ${ends.length} requests, ${refusals.length} refused with 503, ${clients.acknowledged()} acknowledged`,
      );
    },
  );
}

function endsOf({ history }: Clients): Ended[] {
  return history.filter((entry) => entry.kind === 'ended');
}

/** So many more refusals with 503. */
async function untilRefused(clients: Clients): Promise<void> {
  const refusedCount = (): number => endsOf(clients).filter(({ refusal }) => refusal?.status === 503).length;
  const countMin = refusedCount() + refusalsMin;
  await expect.poll(refusedCount, { timeout: waitMsMax, interval: 50 }).toBeGreaterThanOrEqual(countMin);
}

/** Kafka knows no such state: when its disk is full it ends. */
function toFullness(broker: Broker): Fullness | null {
  switch (broker.name) {
    case 'redis':
      return { fill: () => setRedisMemory(broker, '1'), release: () => setRedisMemory(broker, '0') };
    case 'rabbitmq': {
      const setWatermark = (share: string): Promise<unknown> => broker.control('set_vm_memory_high_watermark', share);
      return { fill: () => setWatermark('0'), release: () => setWatermark('0.8') };
    }
    case 'kafka':
      return null;
  }
}

async function setRedisMemory({ env }: Broker, bytes: string): Promise<void> {
  const client = createClient({ url: env['REDIS_URL'] ?? '' });
  await client.connect();
  await client.configSet('maxmemory', bytes);
  client.destroy();
}
