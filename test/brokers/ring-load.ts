/** Voters and readers at servers whose results stand on Redis nodes, and what no fault of a node may do to them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post } from '../support/http.ts';
import type { TestServer } from '../support/server.ts';

export type RingServer = Pick<TestServer, 'url'> & {
  /** How old its answers may be by their promise: the cache, and what other servers have counted a moment ago. */
  readonly lagMs: number;
};

export type RingLoad = {
  /** Everything that was wrong, in words. */
  readonly faults: readonly string[];
  /** How many answers each node, the cache and the processes gave. */
  readonly servedBy: ReadonlyMap<string, number>;
  acknowledged(): number;
  stop(): Promise<void>;
};

type Count = { sent: number; acknowledged: number };
/** All that was acknowledged up to a moment. */
type Milestone = { readonly at: number; readonly acknowledged: number };

const votersPerServer = 4;
const readersPerServer = 2;
const thinkMs = 10;
const optionIds = ['A', 'B', 'C'];
/** How long what one server has counted may take to the others, on a busy machine. */
const newsMsMax = 15_000;

/** Each client stays with its server. Nothing but a 200 is an answer: nodes are no reason to refuse anybody. */
export function startRingLoad(
  servers: readonly RingServer[],
  pollNames: readonly string[],
  random: () => number,
): RingLoad {
  const faults: string[] = [];
  const servedBy = new Map<string, number>();
  const counts = new Map<string, Count>();
  const milestones = new Map<string, Milestone[]>();
  let acknowledgedCount = 0;
  let stopped = false;

  const pick = (values: readonly string[]): string => values[Math.floor(random() * values.length)] ?? '';
  const countOf = (key: string): Count => {
    const count = counts.get(key) ?? { sent: 0, acknowledged: 0 };
    counts.set(key, count);
    return count;
  };

  async function vote(server: RingServer): Promise<void> {
    const [name, optionId] = [pick(pollNames), pick(optionIds)];
    const all = countOf(`${name} ${optionId}`);
    const own = countOf(`${name} ${optionId} at ${server.url}`);
    all.sent += 1;
    const { status, text } = await post(`${server.url}/api/v1/vote/${name}`, { option_id: optionId });
    if (status !== 200) {
      faults.push(`a vote was answered with ${status} ${text}`);
      return;
    }
    all.acknowledged += 1;
    own.acknowledged += 1;
    acknowledgedCount += 1;
    const key = `${name} ${optionId}`;
    const list = milestones.get(key) ?? [];
    list.push({ at: performance.now(), acknowledged: all.acknowledged });
    milestones.set(key, list);
  }

  /** What must be in an answer to a question of this moment. */
  function leastOf(key: string, server: RingServer): number {
    const until = performance.now() - server.lagMs - newsMsMax;
    const old = milestones.get(key)?.findLast(({ at }) => at <= until)?.acknowledged ?? 0;
    return server.lagMs > 0 ? old : Math.max(old, countOf(`${key} at ${server.url}`).acknowledged);
  }

  async function readOnce(server: RingServer, seen: Map<string, number>): Promise<void> {
    const name = pick(pollNames);
    const least = optionIds.map((optionId) => leastOf(`${name} ${optionId}`, server));
    const { status, json, text } = await get(`${server.url}/api/v1/results/${name}`);
    if (status !== 200) {
      faults.push(`a read was answered with ${status} ${text}`);
      return;
    }
    const { results, served_via: servedVia } = json as { results: Record<string, number>; served_via: string }; // As the contract has it.
    servedBy.set(servedVia, (servedBy.get(servedVia) ?? 0) + 1);
    for (const [index, optionId] of optionIds.entries()) {
      const key = `${name} ${optionId}`;
      const votes = results[optionId] ?? 0;
      const { sent } = countOf(key);
      const bounds = `${key} via ${servedVia}: ${votes}, not between ${least[index]} and ${sent}`;
      if (votes < (least[index] ?? 0) || votes > sent) faults.push(bounds);
      const before = seen.get(key) ?? 0;
      if (votes < before) faults.push(`${key} via ${servedVia} went back from ${before} to ${votes}`);
      seen.set(key, votes);
    }
  }

  async function repeat(step: () => Promise<void>): Promise<void> {
    while (!stopped) {
      try {
        await step();
      } catch (error) {
        faults.push(`a request got no answer: ${String(error)}`);
      }
      await sleep(thinkMs * random());
    }
  }

  const clients = servers.flatMap((server) => {
    const voters = Array.from({ length: votersPerServer }, () => repeat(() => vote(server)));
    const readers = Array.from({ length: readersPerServer }, () => {
      const seen = new Map<string, number>();
      return repeat(() => readOnce(server, seen));
    });
    return [...voters, ...readers];
  });

  return {
    faults,
    servedBy,
    acknowledged: () => acknowledgedCount,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}
