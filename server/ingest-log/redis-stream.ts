/** The commands on the stream of a log, as its consumers need them. */
import { ErrorReply } from '@redis/client';
import { withBuffers, type RedisClient } from '../lib/redis-client.ts';

/** An entry that was trimmed has no fields. */
export type StreamEntry = { readonly id: string; readonly bytes: Buffer | null };

export type RedisStream = {
  /** Where another one made it meanwhile, all is well. */
  ensureGroup(): Promise<void>;
  /** Waits for a while where there is nothing. */
  readNew(reader: RedisClient, consumer: string, count: number): Promise<StreamEntry[]>;
  /** Entries that nobody has acknowledged for `idleMs`, given to this consumer from now on. */
  claim(consumer: string, idleMs: number, count: number): Promise<StreamEntry[]>;
  acknowledge(ids: readonly string[]): Promise<void>;
  /** By the names of their connections: one that died is in the group for as long as something is pending for it. null where Redis does not list its clients. */
  countConsumers(): Promise<number | null>;
  /** Takes away what every consumer has acknowledged. */
  trim(): Promise<void>;
  /** What is left in hand is free for others at once. The consumer itself goes only where nothing is pending for it: that would go with it. */
  signOff(consumer: string, inHand: readonly string[], idleMs: number): Promise<void>;
};

export const groupName = 'hustings';
/** How long a read waits for entries. A stop waits for it. */
const blockMs = 250;

/** What the connection on which a consumer reads is called. */
export function toConsumerName(key: string): string {
  return `hustings-worker-${encodeURIComponent(key)}`;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[] | null];

export function createRedisStream(client: RedisClient, key: string): RedisStream {
  return {
    async ensureGroup() {
      try {
        await client.xGroupCreate(key, groupName, '0', { MKSTREAM: true });
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
      }
    },
    async readNew(reader, consumer, count) {
      const group = ['XREADGROUP', 'GROUP', groupName, consumer, 'COUNT', String(count), 'BLOCK', String(blockMs)];
      const reply = await reader.sendCommand<[Buffer, Entry[]][] | null>([...group, 'STREAMS', key, '>'], withBuffers);
      return (reply ?? []).flatMap(([, entries]) => entries.map(toStreamEntry));
    },
    async claim(consumer, idleMs, count) {
      const [, entries] = await client.sendCommand<[Buffer, (Entry | null)[]]>(
        ['XAUTOCLAIM', key, groupName, consumer, String(idleMs), '0', 'COUNT', String(count)],
        withBuffers,
      );
      return entries.filter((entry) => entry !== null).map(toStreamEntry);
    },
    async acknowledge(ids) {
      await client.xAck(key, groupName, [...ids]);
    },
    async countConsumers() {
      const listed = await client.sendCommand<string>(['CLIENT', 'LIST', 'TYPE', 'NORMAL']).catch(toNullIfRefused);
      if (listed === null) return null;
      return listed.split('\n').filter((line) => line.includes(` name=${toConsumerName(key)} `)).length;
    },
    async trim() {
      // In this order: what is read in between lies behind the last that was read before.
      const groups = await client.xInfoGroups(key);
      const pending = await client.xPending(key, groupName);
      const lastRead = groups.find(({ name }) => name === groupName)?.['last-delivered-id'];
      // Everything below the oldest pending entry is recorded; without one, everything that was read.
      const from = pending.pending > 0 ? pending.firstId : lastRead;
      if (typeof from === 'string') await client.sendCommand(['XTRIM', key, 'MINID', from]);
    },
    async signOff(consumer, inHand, idleMs) {
      if (inHand.length > 0) await client.xClaimJustId(key, groupName, consumer, 0, [...inHand], { IDLE: idleMs });
      const left = await client.xPendingRange(key, groupName, '-', '+', 1, { consumer });
      if (left.length === 0) await client.xGroupDelConsumer(key, groupName, consumer);
    },
  };
}

function toStreamEntry([id, fields]: Entry): StreamEntry {
  return { id: id.toString(), bytes: fields?.[1] ?? null };
}

/** Some who offer Redis forbid such commands. */
function toNullIfRefused(error: unknown): null {
  if (error instanceof ErrorReply) return null;
  throw error;
}
