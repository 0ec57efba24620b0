/** Shared boards on real Redis nodes. */
import { createClient, RESP_TYPES } from '@redis/client';
import pino from 'pino';
import { expect, onTestFinished } from 'vitest';
import { createHashRing } from '../../server/board/hash-ring.ts';
import { toNodeAddress } from '../../server/board/node-address.ts';
import { startRedisRing } from '../../server/board/redis-ring.ts';
import type { StoredRing } from '../../server/board/ring-members.ts';
import { boardKeyOf, type SharedBoard } from '../../server/board/shared-board.ts';
import type { Logger } from '../../server/lib/logger.ts';
import { Secret } from '../../server/lib/secret.ts';
import type { Poll } from '../../server/poll/poll.ts';
import type { BoardHouse, BoardProcess } from './board-house.ts';

export type TestRing = {
  /** What all processes share; a newer one is taken over. */
  stored: StoredRing;
  /** The address of the node that a poll with this key is on. */
  nodeOf(key: string): string;
};

/** A busy machine needs several looks. */
export const patience = { timeout: 20_000, interval: 20 };
export const lookMs = 50;
const silent = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

export function toTestRing(nodes: readonly string[]): TestRing {
  const ring: TestRing = {
    stored: { generation: 1, nodes, virtualNodes: 100, label: '{node}#{i}', parts: null },
    nodeOf(key) {
      const { stored } = ring;
      const names = new Map(stored.nodes.map((node) => [toNodeAddress(new Secret(node))?.name ?? '', node]));
      const { nodeOf } = createHashRing({ ...stored, nodes: [...names.keys()].map((name) => ({ name })) });
      return names.get(nodeOf(key)) ?? '';
    },
  };
  return ring;
}

/** The board of one process, flushed every so often or not at all by itself. It ends with the test. */
export function openRing(
  house: BoardHouse,
  { board }: BoardProcess,
  ring: TestRing,
  { flushMs = 3_600_000, log = silent }: { readonly flushMs?: number; readonly log?: Logger } = {},
): SharedBoard {
  const parts = {
    epoch: house.epoch,
    board,
    now: Date.now,
    peekPoll: house.findPoll,
    findPoll: (pollNo: number) => Promise.resolve(house.findPoll(pollNo) ?? null),
    readNames: house.readNames,
    readRing: () => Promise.resolve(ring.stored),
    log,
  };
  const opened = startRedisRing(parts, { ring: ring.stored, flushMs, lookMs });
  onTestFinished(opened.close);
  return opened;
}

/** Until the nodes answer the reads of all these polls. */
export async function untilServed(board: SharedBoard, house: BoardHouse): Promise<void> {
  const servers = async (): Promise<string[]> =>
    Promise.all(house.polls().map(async (poll) => (await board.read(poll)).servedVia));
  await expect.poll(servers, patience).not.toContain('in_memory');
}

export type Connected = Awaited<ReturnType<typeof connectTo>>;

/** A client of a node, past the board. It ends with the test. */
export async function connectTo(url: string) {
  const client = createClient({ url, RESP: 2, commandOptions: { typeMapping: { [RESP_TYPES.MAP]: Map } } });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** Every hash of a poll on a node, as numbers. */
export async function readHashes(client: Connected): Promise<Map<string, Record<string, number>>> {
  const hashes = new Map<string, Record<string, number>>();
  for (const key of await client.keys('poll:*')) {
    const fields = [...(await client.hGetAll(key))].filter(([, votes]) => votes !== '0');
    hashes.set(
      key.slice('poll:'.length),
      Object.fromEntries(fields.map(([field, votes]) => [field, Number(votes)] as const)),
    );
  }
  return hashes;
}

/** What the nodes should hold: each poll with votes on the node of the ring, with the votes of the ledger. */
export function toExpectedHashes(house: BoardHouse, ring: TestRing, url: string): Map<string, Record<string, number>> {
  const polls = house.polls().filter((poll) => ring.nodeOf(boardKeyOf(poll)) === url);
  const sums = polls.map((poll) => {
    const votes = poll.options.map(({ id, optionNo }) => [id as string, house.votesOf(poll, optionNo)] as const);
    return [boardKeyOf(poll), Object.fromEntries(votes.filter(([, count]) => count !== 0))] as const;
  });
  return new Map(sums.filter(([, votes]) => Object.keys(votes).length > 0));
}

/** Until every node holds its polls as the ledger has them, and no others. */
export async function untilAllHold(
  house: BoardHouse,
  ring: TestRing,
  clients: ReadonlyMap<string, Connected>,
): Promise<void> {
  for (const [url, client] of clients) {
    await expect.poll(() => readHashes(client), patience).toEqual(toExpectedHashes(house, ring, url));
  }
}

/** One vote for the first option of each poll, and for the second as many as the poll's place in the list. */
export function voteInAll(
  house: BoardHouse,
  processes: readonly BoardProcess[],
  polls: readonly Poll[],
  slot = 1,
): void {
  house.count(
    processes,
    polls.flatMap((poll, index) => [[poll, 1, 1], [poll, 2, index]] as const), // prettier-ignore
    slot,
  );
}

/** The board shows these polls as the ledger has them. */
export async function expectRight({
  house,
  board,
  polls,
}: {
  readonly house: BoardHouse;
  readonly board: SharedBoard;
  readonly polls: readonly Poll[];
}): Promise<void> {
  for (const poll of polls) {
    const { votesOf } = await board.read(poll);
    expect(votesOf('A')).toBe(house.votesOf(poll, 1));
    expect(votesOf('B')).toBe(house.votesOf(poll, 2));
  }
}
