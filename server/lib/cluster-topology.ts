/** Which server of a Redis Cluster has which slots, as one of its servers tells it. */
import type { RedisClient } from './redis-client.ts';
import { Secret } from './secret.ts';

/** `host:port`, as the cluster announces it. */
export type ClusterAddress = string;

export type ClusterTopology = {
  /** Whether the server that was asked is part of a cluster that serves. */
  readonly isWell: boolean;
  /** Grows with every change of masters. */
  readonly epoch: number;
  readonly ranges: readonly { readonly from: number; readonly to: number; readonly master: ClusterAddress }[];
  readonly replicas: readonly ClusterAddress[];
};

export type ClusterRedirect = { readonly isLasting: boolean; readonly address: ClusterAddress };

/** `host` is where the server was reached: one that does not know its own name means that. */
export async function readTopology(client: RedisClient, host: string): Promise<ClusterTopology> {
  const [info, shards] = await Promise.all([client.clusterInfo(), client.clusterSlots()]);
  const toAddress = (server: { host: string; port: number }): ClusterAddress =>
    `${isKnown(server.host) ? server.host : host}:${server.port}`;
  return {
    isWell: /^cluster_state:ok\r?$/mu.test(info),
    epoch: Number(/^cluster_current_epoch:(\d+)/mu.exec(info)?.[1] ?? 0),
    ranges: shards.map(({ from, to, master }) => ({ from, to, master: toAddress(master) })),
    replicas: shards.flatMap(({ replicas }) => replicas.map(toAddress)),
  };
}

/** Of several answers, the one to go by; null where there is none. */
export function pickTopology(answers: readonly ClusterTopology[]): ClusterTopology | null {
  const [best] = answers.toSorted((a, b) => Number(b.isWell) - Number(a.isWell) || b.epoch - a.epoch);
  return best ?? null;
}

/** Where an error sends what was asked: for good, or this once. null where it is another error. */
export function toRedirect(error: unknown, from: ClusterAddress): ClusterRedirect | null {
  const found = error instanceof Error ? /^(MOVED|ASK) \d+ (.*):(\d+)$/u.exec(error.message) : null;
  if (found === null) return null;
  const [, word, host = '', port = ''] = found;
  return { isLasting: word === 'MOVED', address: `${isKnown(host) ? host : hostOf(from)}:${port}` };
}

/** The URL of any server of the cluster that the seeds belong to: protocol, user and password are the same on all of them. */
export function toServerUrl([seed]: readonly Secret[], address: ClusterAddress): Secret {
  if (seed === undefined) throw new Error('A cluster needs at least one seed.');
  const url = new URL(seed.reveal());
  const host = hostOf(address);
  url.hostname = host.includes(':') ? `[${host}]` : host;
  url.port = address.slice(host.length + 1);
  return new Secret(url.href, `${url.protocol}//${url.host}`);
}

export function toClusterAddress(url: Secret): ClusterAddress {
  const { hostname, port } = new URL(url.reveal());
  return `${hostname.replaceAll(/[[\]]/gu, '')}:${port === '' ? '6379' : port}`;
}

export function hostOf(address: ClusterAddress): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function isKnown(host: string | null): boolean {
  return host !== null && host !== '' && host !== '?';
}
