/** The connections to the masters of a Redis Cluster, and which of them has which slots, asked anew each second. */
import { createAbsence } from './absence.ts';
import { clusterSlotCount } from './cluster-slot.ts';
import {
  hostOf,
  pickTopology,
  readTopology,
  toClusterAddress,
  toServerUrl,
  type ClusterAddress,
  type ClusterTopology,
} from './cluster-topology.ts';
import type { Logger } from './logger.ts';
import { connectToRedis, createRedisClient, type RedisClient } from './redis-client.ts';
import type { Secret } from './secret.ts';
import { within } from './within.ts';

export type ClusterConnections = {
  /** Who has the slot, as far as is known. */
  masterOf(slot: number): ClusterAddress | undefined;
  /** Somebody was told so. All slots are asked for again at once. */
  setMaster(slot: number, address: ClusterAddress): void;
  /** Opens a connection where there is none, and does not wait for it. One to a server without slots lasts until the slots are asked for again. */
  open(address: ClusterAddress): void;
  /** The connection, if it stands. */
  readyAt(address: ClusterAddress): RedisClient | undefined;
  anyReady(): RedisClient | undefined;
  /** Every server that was heard of. */
  addresses(): readonly ClusterAddress[];
  close(): void;
};

export type ClusterParts = {
  readonly log: Logger;
  /** As in redis-client.ts. */
  readonly silentMsMax?: number;
};

const refreshMs = 1_000;
const askMsMax = 1_000;

/** Does not wait for the connections. */
export function openClusterConnections(seeds: readonly Secret[], parts: ClusterParts): ClusterConnections {
  const { log } = parts;
  const connections = new Map<ClusterAddress, RedisClient>();
  let masters = emptyMasters();
  let replicas: readonly ClusterAddress[] = [];
  let refreshing: Promise<void> | null = null;
  let closed = false;
  const note = createNote(seeds, log);

  function open(address: ClusterAddress): void {
    if (closed || connections.has(address)) return;
    const named = about(log, address);
    const client = createRedisClient(toServerUrl(seeds, address), { ...parts, absence: createAbsence(), log: named });
    connections.set(address, client);
    client.connect().catch((error: unknown) => named.debug({ err: error }, 'connection was closed'));
  }

  function take(topology: ClusterTopology): void {
    masters = emptyMasters();
    for (const { from, to, master } of topology.ranges) masters.fill(master, from, to + 1);
    replicas = topology.replicas;
    const used = new Set(topology.ranges.map(({ master }) => master));
    for (const [address, client] of connections) {
      if (used.has(address)) continue;
      connections.delete(address);
      client.destroy();
    }
    for (const address of used) open(address);
  }

  async function lookUp(): Promise<void> {
    const ready = new Map([...connections].filter(([, client]) => client.isReady));
    const known = await pickOf([...ready].map(([address, client]) => ask(client, address)));
    // Where the masters are at odds or away, everybody else is asked, too.
    const others = new Set([...connections.keys(), ...replicas, ...seeds.map(toClusterAddress)]);
    const strangers = known?.isWell === true ? [] : [...others].filter((address) => !ready.has(address));
    const told = await pickOf(strangers.map((address) => askStranger(seeds, address, log)));
    const best = pickTopology([known, told].filter((each) => each !== null));
    if (closed) return;
    note(best);
    if (best !== null) take(best);
  }

  function refresh(): void {
    refreshing ??= lookUp().finally(() => {
      refreshing = null;
    });
  }

  const timer = setInterval(refresh, refreshMs).unref();
  refresh();

  return {
    masterOf: (slot) => masters[slot],
    setMaster(slot, address) {
      masters[slot] = address;
      open(address);
      refresh();
    },
    open,
    readyAt(address) {
      const client = connections.get(address);
      return client?.isReady === true ? client : undefined;
    },
    anyReady: () => [...connections.values()].find(({ isReady }) => isReady),
    addresses: () => [...new Set([...connections.keys(), ...replicas])],
    close() {
      closed = true;
      clearInterval(timer);
      for (const client of connections.values()) client.destroy();
      connections.clear();
    },
  };
}

/** Says when the cluster as a whole goes and comes back. */
function createNote(seeds: readonly Secret[], log: Logger): (topology: ClusterTopology | null) => void {
  const absence = createAbsence();
  return (topology) => {
    const wasAway = absence.ms() > 0;
    if (topology?.isWell === true) {
      absence.end();
      if (wasAway) log.info({}, 'Redis Cluster is back');
      return;
    }
    absence.begin();
    const reason = topology === null ? 'no server answers' : 'its state is not ok';
    if (!wasAway) log.warn({ seeds: seeds.map(String), reason }, 'Redis Cluster is away');
  };
}

function emptyMasters(): (ClusterAddress | undefined)[] {
  return Array.from({ length: clusterSlotCount });
}

async function pickOf(asked: readonly Promise<ClusterTopology>[]): Promise<ClusterTopology | null> {
  const answers = await Promise.allSettled(asked);
  return pickTopology(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
}

function ask(client: RedisClient, address: ClusterAddress): Promise<ClusterTopology> {
  return within(askMsMax, readTopology(client, hostOf(address)));
}

/** On a connection for this alone. */
async function askStranger(seeds: readonly Secret[], address: ClusterAddress, log: Logger): Promise<ClusterTopology> {
  const quiet = { ...about(log, address), warn: log.debug.bind(log), info: log.debug.bind(log) };
  const parts = { absence: createAbsence(), log: quiet, silentMsMax: askMsMax };
  const connecting = connectToRedis(toServerUrl(seeds, address), parts);
  try {
    return await ask(await within(askMsMax, connecting), address);
  } finally {
    connecting.then((client) => client.destroy()).catch(() => undefined);
  }
}

/** The same log, whose events say which server they are about. */
export function about(log: Logger, node: string): Logger {
  return {
    debug: (facts, event) => log.debug({ ...facts, node }, event),
    info: (facts, event) => log.info({ ...facts, node }, event),
    warn: (facts, event) => log.warn({ ...facts, node }, event),
    error: (facts, event) => log.error({ ...facts, node }, event),
  };
}
