/** The servers of a Redis Cluster that the settings name. */
import type { Secret } from '../lib/secret.ts';
import { SettingError } from '../lib/setting-table.ts';

/**
 * The others are found by the cluster's own addresses, with the protocol, the user and the password of these.
 * @throws {SettingError} for seeds that differ in them, or that name a database: a cluster has only one
 */
export function toClusterSeeds(seeds: readonly Secret[]): readonly Secret[] {
  const urls = seeds.map((seed) => new URL(seed.reveal()));
  const wrong = urls.findIndex(({ host, pathname, search }) => host === '' || !['', '/'].includes(pathname) || search);
  if (wrong >= 0) {
    throw new SettingError(`REDIS_CLUSTER: ${String(seeds[wrong])} may have nothing behind its port.`);
  }
  const ways = new Set(urls.map(({ protocol, username, password }) => `${protocol}//${username}:${password}`));
  if (ways.size > 1) {
    throw new SettingError('REDIS_CLUSTER: all its servers have the same protocol, user and password.');
  }
  if (new Set(urls.map(({ host }) => host)).size < urls.length) {
    throw new SettingError('REDIS_CLUSTER names a server twice.');
  }
  return seeds;
}
