/** The shared board on real Redis nodes: what every shared board promises, and what the nodes hold. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kill } from 'node:process';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedis } from '../../scripts/services/redis.ts';
import { openRedisNode, LockLost, type RedisNode } from '../../server/board/redis-node.ts';
import { toNodeAddress } from '../../server/board/node-address.ts';
import { boardKeyOf, type SharedBoard } from '../../server/board/shared-board.ts';
import { describeRing } from '../../server/commands/ring.ts';
import { parseConfig } from '../../server/config.ts';
import { Secret } from '../../server/lib/secret.ts';
import type { Poll } from '../../server/poll/poll.ts';
import { createBoardHouse, type BoardHouse, type BoardProcess } from '../support/board-house.ts';
import { describeSharedBoard } from '../support/describe-shared-board.ts';
import {
  connectTo,
  expectRight,
  openRing,
  patience,
  readHashes,
  toTestRing,
  untilAllHold,
  untilServed,
  voteInAll,
  type Connected,
  type TestRing,
} from '../support/ring-board.ts';

const pollCount = 40;
/** Of the sixteen: 0 is for queues, the last for cluster-faults.test.ts, which may run at the same time. */
const databases = { first: 1, count: 14 };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let takenCount = 0;

type Nodes = { readonly ring: TestRing; readonly clients: ReadonlyMap<string, Connected> };

function openNode(url: string): RedisNode {
  const address = toNodeAddress(new Secret(url));
  if (address === null) throw new Error('The test has a wrong address.');
  const node = openRedisNode(address, silent);
  onTestFinished(node.close);
  return node;
}

/** Empty databases of their own on the servers that tests share. */
async function takeNodes(count: number): Promise<Nodes> {
  const databaseNo = databases.first + (takenCount % databases.count);
  takenCount += 1;
  const urls = inject('redisUrls').slice(0, count).map((url) => `${url}/${databaseNo}`); // prettier-ignore
  const clients = new Map<string, Connected>();
  for (const url of urls) {
    const client = await connectTo(url);
    await client.flushDb();
    clients.set(url, client);
  }
  return { ring: toTestRing(urls), clients };
}

describeSharedBoard(
  'on two Redis nodes',
  async (house, process) => {
    const { ring } = await takeNodes(2);
    const opened = openRing(house, process, ring);
    const poll = house.addPoll();
    await untilServed(opened, house);
    house.removePoll(poll);
    return opened;
  },
  /^redis_\d+$/u,
);

type Started = Nodes & {
  readonly house: BoardHouse;
  readonly process: BoardProcess;
  readonly board: SharedBoard;
  readonly polls: readonly Poll[];
};

/** A process on some nodes, with polls that all have votes on their nodes. */
async function start({ nodes = 2, flushMs = 3_600_000 } = {}): Promise<Started> {
  const house = createBoardHouse();
  const process = await house.startProcess();
  const { ring, clients } = await takeNodes(nodes);
  const board = openRing(house, process, ring, { flushMs });
  const polls = Array.from({ length: pollCount }, () => house.addPoll());
  voteInAll(house, [process], polls);
  await untilServed(board, house);
  await board.flushNow();
  return { house, process, board, polls, ring, clients };
}

test('after a flush each poll is on the node that the ring names, with the votes of the ledger, and on no other', async () => {
  const started = await start({ nodes: 3 });
  await untilAllHold(started.house, started.ring, started.clients);
  for (const client of started.clients.values()) expect((await readHashes(client)).size).toBeGreaterThan(0);
});

test('answers name the node by its port', async () => {
  const { board, polls, ring } = await start();
  for (const poll of polls) {
    const { port } = new URL(ring.nodeOf(boardKeyOf(poll)));
    await expect.poll(async () => (await board.read(poll)).servedVia, patience).toBe(`redis_${port}`);
  }
});

test('votes come to the nodes by themselves at the interval', async () => {
  const { house, process, polls, ring, clients } = await start({ flushMs: 200 });
  voteInAll(house, [process], polls);
  await untilAllHold(house, ring, clients);
});

test('two processes that flush the same at the same time count it once', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  const other = await house.startProcess();
  const otherBoard = openRing(house, other, ring);
  await untilServed(otherBoard, house);
  for (let round = 0; round < 30; round += 1) {
    voteInAll(house, [process, other], polls, 1 + (round % 2));
    await Promise.all([board.flushNow(), otherBoard.flushNow(), board.flushNow()]);
  }
  await untilAllHold(house, ring, clients);
  await expectRight({ house, board, polls });
  await expectRight({ house, board: otherBoard, polls });
});

test('what only one process has heard of yet is in its answers and not in those of the other, whoever flushes', async () => {
  const { house, process, board, polls, ring } = await start();
  const other = await house.startProcess();
  const otherBoard = openRing(house, other, ring);
  await untilServed(otherBoard, house);
  const [poll] = polls as [Poll];
  const late = house.record([[poll, 1, 10]]);
  process.hear(late);
  await board.flushNow();
  expect((await board.read(poll)).votesOf('A')).toBe(11);
  expect((await otherBoard.read(poll)).votesOf('A')).toBe(1);
  other.hear(late);
  expect((await otherBoard.read(poll)).votesOf('A')).toBe(11);
});

test('a process that begins later goes on where the others are', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  voteInAll(house, [process], polls);
  const later = await house.startProcess();
  const laterBoard = openRing(house, later, ring);
  // It knows nothing of what is not flushed yet, and asks for it.
  await untilServed(laterBoard, house);
  voteInAll(house, [process, later], polls);
  await laterBoard.flushNow();
  await untilAllHold(house, ring, clients);
  await expectRight({ house, board, polls });
  await expectRight({ house, board: laterBoard, polls });
});

test('a batch of which nobody was told comes to the nodes with the next filling', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  house.record(polls.map((poll) => [poll, 3, 7] as const));
  await process.board.load();
  voteInAll(house, [process], polls);
  await expectRight({ house, board, polls });
  await untilAllHold(house, ring, clients);
  await untilServed(board, house);
});

test.for([
  ['that was emptied', (client: Connected) => client.flushDb()],
  ['whose position was lost', (client: Connected) => client.del('hustings:board')],
  ['that holds another ledger', (client: Connected) => client.hSet('hustings:board', 'epoch', 'other')],
  ['of an older ring', (client: Connected) => client.hSet('hustings:board', 'ring', '0')],
  ['that went back', (client: Connected) => client.hSet('hustings:board', 'slot:1', '0')],
  ['that is further than the ledger', (client: Connected) => client.hSet('hustings:board', 'slot:1', '999')],
] as const)('a node %s is filled anew, and reads are right all the while', async ([, spoil]) => {
  const { house, process, board, polls, ring, clients } = await start();
  const [client] = clients.values() as unknown as [Connected]; // There are two.
  await spoil(client);
  await client.hSet('poll:of nobody', 'A', '5');
  voteInAll(house, [process], polls);
  await expectRight({ house, board, polls });
  await board.flushNow();
  await expectRight({ house, board, polls });
  await expect
    .poll(async () => {
      await expectRight({ house, board, polls });
      await board.flushNow();
      return (await readHashes(client)).has('of nobody');
    }, patience)
    .toBe(false);
  await untilAllHold(house, ring, clients);
  await untilServed(board, house);
});

test('sums that somebody has changed are not shown, and are put right', async () => {
  const { house, board, polls, ring, clients } = await start();
  const [poll] = polls as [Poll];
  const client = clients.get(ring.nodeOf(boardKeyOf(poll)));
  await client?.hIncrBy(`poll:${boardKeyOf(poll)}`, 'A', 5);
  const readAll = async (): Promise<string> => {
    await expectRight({ house, board, polls });
    return (await board.read(poll)).servedVia;
  };
  expect(await readAll()).toBe('in_memory');
  await expect.poll(readAll, patience).not.toBe('in_memory');
  await untilAllHold(house, ring, clients);
});

test('a key of another kind where a poll belongs is replaced', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  const [poll] = polls as [Poll];
  const client = clients.get(ring.nodeOf(boardKeyOf(poll)));
  await client?.set(`poll:${boardKeyOf(poll)}`, 'text');
  voteInAll(house, [process], polls);
  await board.flushNow();
  await expectRight({ house, board, polls });
  await untilServed(board, house);
  await board.flushNow();
  await untilAllHold(house, ring, clients);
});

test('a deleted poll is removed from its node', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  const [poll] = polls as [Poll];
  house.removePoll(poll);
  process.board.drop(poll.pollNo);
  board.drop(poll);
  await untilAllHold(house, ring, clients);
});

test('a poll that is made again by the name of a deleted one has only its own votes', async () => {
  const { house, process, board, polls, ring, clients } = await start();
  const [poll] = polls as [Poll];
  const remake = (old: Poll): Poll => {
    house.removePoll(old);
    process.board.drop(old.pollNo);
    board.drop(old);
    const again = house.addPoll({ name: boardKeyOf(old) });
    house.count([process], [[again, 3, 2]]);
    return again;
  };
  const again = remake(poll);
  const readBoth = async (): Promise<(number | string)[]> => {
    const { votesOf, servedVia } = await board.read(again);
    return [votesOf('A'), votesOf('C'), servedVia.slice(0, 5)];
  };
  expect((await readBoth()).slice(0, 2)).toEqual([0, 2]);
  await board.flushNow();
  await expect.poll(readBoth, patience).toEqual([0, 2, 'redis']);
  await untilAllHold(house, ring, clients);
  // While a node is being filled, too.
  for (const client of clients.values()) await client.del('hustings:board');
  const last = remake(again);
  await board.flushNow();
  await expect.poll(async () => (await board.read(last)).servedVia, patience).toMatch(/^redis/u);
  await board.flushNow();
  await untilAllHold(house, ring, clients);
});

test('nodes come and go while processes run: about their part of the polls moves, and what is left is emptied', async () => {
  const { house, process, board, polls, ring, clients } = await start({ nodes: 3 });
  const [first = '', second = '', third = ''] = clients.keys();
  const other = await house.startProcess();
  const otherBoard = openRing(house, other, ring);
  for (const [generation, nodes] of [
    [2, [first, second]],
    [3, [first, second, third]],
    [4, [third]],
    [5, [second, third]],
  ] as const) {
    ring.stored = { ...ring.stored, generation, nodes };
    voteInAll(house, [process, other], polls);
    await expectRight({ house, board, polls });
    const isUsed = async (): Promise<boolean> => {
      await expectRight({ house, board, polls });
      await board.flushNow();
      const served = await Promise.all(polls.map(async (poll) => (await board.read(poll)).servedVia));
      const ports = nodes.map((node) => `redis_${new URL(node).port}`);
      return served.every((each) => ports.includes(each));
    };
    await expect.poll(isUsed, patience).toBe(true);
    await untilAllHold(house, ring, clients);
  }
  await untilServed(otherBoard, house);
  await expectRight({ house, board: otherBoard, polls });
});

test('a flush whose answer was lost is in the sums once, though it is sent again', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-ring-'));
  const redis = await startRedis(folder);
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const client = await connectTo(redis.url);
  await client.hSet('hustings:board', { epoch: 'e', ring: '1', 'slot:1': '3' });
  const node = openNode(redis.url);
  await expect.poll(async () => (await node.position().catch(() => null))?.epoch, patience).toBe('e');
  const flush = {
    epoch: 'e',
    generation: 1,
    slots: [{ slot: 1, fromNo: 3, toNo: 5 }],
    increments: [{ key: 'a', field: 'A', votes: 7 }],
  };
  kill(redis.pid(), 'SIGSTOP');
  await expect(node.flush(flush)).rejects.toThrow('No answer within');
  kill(redis.pid(), 'SIGCONT');
  await expect.poll(async () => (await client.hGetAll('poll:a')).get('A'), patience).toBe('7');
  await expect.poll(() => node.flush(flush).catch(() => null), patience).toBe(false);
  expect((await client.hGetAll('poll:a')).get('A')).toBe('7');
  expect(await client.hGet('hustings:board', 'slot:1')).toBe('5');
});

test('a flush that meets a key of another kind leaves no half of itself behind that counts', async () => {
  const { clients } = await takeNodes(1);
  const [[url, client]] = [...clients] as [[string, Connected]];
  await client.hSet('hustings:board', { epoch: 'e', ring: '1', 'slot:1': '3' });
  await client.set('poll:b', 'text');
  const node = openNode(url);
  await expect.poll(async () => (await node.position().catch(() => null))?.epoch, patience).toBe('e');
  const increments = ['a', 'b'].map((key) => ({ key, field: 'A', votes: 1 }));
  const flush = { epoch: 'e', generation: 1, slots: [{ slot: 1, fromNo: 3, toNo: 4 }], increments };
  await expect(node.flush(flush)).rejects.toThrow('WRONGTYPE');
  expect((await node.position()).epoch).toBe('');
  expect(await node.flush(flush)).toBe(false);
});

test('hustings ring tells how the nodes are', async () => {
  const { clients } = await takeNodes(2);
  const [first = '', second = ''] = clients.keys();
  await clients.get(first)?.hSet('hustings:board', { epoch: 'e', ring: '3', 'slot:1': '5', 'slot:2': '2' });
  const away = 'redis://127.0.0.1:1';
  const config = parseConfig({ argv: [], env: { REDIS_NODES: `${first}?weight=2,${second},${away}` } });
  const options = { log: silent, onProgress: () => {}, onLost: () => {} };
  const lines = (await describeRing(config, { pollName: undefined, adopt: false }, options)).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^node +share +weight +health$/u);
  expect(lines[1]).toMatch(/ \d+\.\d % +2 +filled for ring 3, 1 keys, 7 batches$/u);
  expect(lines[2]).toMatch(/ \d+\.\d % +1 +not filled, 0 keys$/u);
  expect(lines[3]).toMatch(/ \d+\.\d % +1 +away: /u);
});

test('whoever was held up while filling a node does no harm after another one has taken over', async () => {
  const { ring, clients } = await takeNodes(1);
  const [[url, client]] = [...clients] as [[string, Connected]];
  const node = openNode(url);
  await expect.poll(() => node.lock('slow').catch(() => false), patience).toBe(true);
  expect(await node.lock('quick')).toBe(false);
  await client.del('hustings:rebuild');
  expect(await node.lock('quick')).toBe(true);
  await node.clear('quick');
  await node.write('quick', [['a', [['A', 2]]]]);
  const position = { epoch: 'e', generation: ring.stored.generation, batchNoBySlot: new Map([[1, 3]]) };
  for (const late of [
    () => node.clear('slow'),
    () => node.write('slow', [['a', [['A', 1]]]]),
    () => node.finish('slow', position),
    () => node.keep('slow'),
  ]) {
    await expect(late()).rejects.toThrow(LockLost);
  }
  await node.finish('quick', position);
  expect(await client.hGetAll('poll:a')).toEqual(new Map([['A', '2']]));
  expect(Object.fromEntries(await client.hGetAll('hustings:board'))).toEqual({ epoch: 'e', ring: '1', 'slot:1': '3' });
});
