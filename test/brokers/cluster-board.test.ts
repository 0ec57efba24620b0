/** The shared board in a real Redis Cluster: what every shared board promises, and what the servers hold. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../scripts/services/redis-cluster.ts';
import { partCount, toPartKeys } from '../../server/board/node-keys.ts';
import { boardKeyOf, type SharedBoard } from '../../server/board/shared-board.ts';
import { describeRing } from '../../server/commands/ring.ts';
import { parseConfig } from '../../server/config.ts';
import { toClusterSlot } from '../../server/lib/cluster-slot.ts';
import type { Poll } from '../../server/poll/poll.ts';
import { createBoardHouse, type BoardHouse, type BoardProcess } from '../support/board-house.ts';
import { describeSharedBoard, hostileNames } from '../support/describe-shared-board.ts';
import { connectToServer, moveSlot, toClusterKey, toClusterRing, useRedisCluster } from '../support/redis-cluster.ts';
import { expectRight, openRing, patience, untilServed, voteInAll, type TestRing } from '../support/ring-board.ts';

const pollCount = 200;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const options = { log: silent, onProgress: () => {}, onLost: () => {} };
const cluster = useRedisCluster();

describeSharedBoard(
  'in a Redis Cluster',
  async (house, process) => {
    await cluster.emptyAll();
    const opened = openRing(house, process, toClusterRing(cluster));
    // One in every part, so that all of them are ready.
    const polls = addPolls(house);
    await untilServed(opened, house);
    for (const poll of polls) house.removePoll(poll);
    return opened;
  },
  /^redis_\d+$/u,
);

type Started = {
  readonly house: BoardHouse;
  readonly process: BoardProcess;
  readonly board: SharedBoard;
  readonly polls: readonly Poll[];
  readonly ring: TestRing;
};

function addPolls(house: BoardHouse): Poll[] {
  return Array.from({ length: pollCount }, () => house.addPoll());
}

async function start(): Promise<Started> {
  await cluster.emptyAll();
  const house = createBoardHouse();
  const process = await house.startProcess();
  const ring = toClusterRing(cluster);
  const board = openRing(house, process, ring);
  const polls = addPolls(house);
  voteInAll(house, [process], polls);
  await untilServed(board, house);
  await board.flushNow();
  return { house, process, board, polls, ring };
}

/** Until the masters hold these polls as the ledger has them, and no others. */
async function untilAllHold({ house, polls }: Pick<Started, 'house' | 'polls'>): Promise<void> {
  const expected = new Map(
    polls.map((poll) => {
      const votes = poll.options.map(
        ({ id, optionNo }) => [id as string, String(house.votesOf(poll, optionNo))] as const,
      );
      return [toClusterKey(boardKeyOf(poll)), Object.fromEntries(votes.filter(([, count]) => count !== '0'))] as const;
    }),
  );
  const held = async () => {
    const keys = [...(await cluster.keys('poll:*')).keys()];
    return new Map(await Promise.all(keys.map(async (key) => [key, withoutZeros(await cluster.hash(key))] as const)));
  };
  await expect.poll(held, patience).toEqual(expected);
}

function withoutZeros(votes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(votes).filter(([, count]) => count !== '0'));
}

test('the slots of keys are those that the cluster computes', async () => {
  const client = await connectToServer(cluster.seeds()[0] ?? '');
  const names = [...hostileNames, ...Array.from({ length: partCount }, (_, part) => String(part))];
  for (const key of [...names, ...names.map(toClusterKey)]) {
    expect(toClusterSlot(key), key).toBe(await client.clusterKeySlot(key));
  }
});

test('each poll is in the slot of its part, and every master has some of them', async () => {
  const started = await start();
  await untilAllHold(started);
  const keys = await cluster.keys('poll:*');
  expect(new Set(keys.values())).toEqual(new Set((await cluster.masters()).keys()));
});

test('answers name the master by its port', async () => {
  const { board, polls } = await start();
  const keys = await cluster.keys('poll:*');
  for (const poll of polls) {
    const master = keys.get(toClusterKey(boardKeyOf(poll))) ?? '';
    if (master === '') continue;
    await expect.poll(async () => (await board.read(poll)).servedVia, patience).toBe(`redis_${new URL(master).port}`);
  }
});

test('hustings ring names the server, the slot and the key of a poll, which is there', async () => {
  const { polls } = await start();
  const config = parseConfig({ argv: [], env: { REDIS_CLUSTER: cluster.seeds().join(',') } });
  const told = (pollName?: string): Promise<string> => describeRing(config, { pollName, adopt: false }, options);
  const keys = await cluster.keys('poll:*');
  for (const poll of polls.slice(1, 20)) {
    const name = boardKeyOf(poll);
    const key = toClusterKey(name);
    expect(await told(name)).toBe(`${keys.get(key)}  slot ${toClusterSlot(key)}  ${key}`);
  }
  const [title, head, ...lines] = (await told()).split('\n');
  expect(title).toBe('32 parts in a cluster with 3 masters and 3 replicas, state ok.');
  expect(head).toMatch(/^node +slots +parts +health$/u);
  expect(lines).toHaveLength(3);
  for (const line of lines)
    expect(line).toMatch(/^redis:\/\/127\.0\.0\.1:\d+ +546\d +[\d -]+ +filled for ring 1, \d+ keys$/u);
});

test('two processes that flush the same at the same time count it once', async () => {
  const { house, process, board, polls, ring } = await start();
  const other = await house.startProcess();
  const otherBoard = openRing(house, other, ring);
  await untilServed(otherBoard, house);
  for (let round = 0; round < 10; round += 1) {
    voteInAll(house, [process, other], polls, 1 + (round % 2));
    await Promise.all([board.flushNow(), otherBoard.flushNow(), board.flushNow()]);
  }
  await untilAllHold({ house, polls });
  await expectRight({ house, board, polls });
  await expectRight({ house, board: otherBoard, polls });
});

test('masters that were emptied are filled again, and reads are right all the while', async () => {
  const { house, process, board, polls } = await start();
  await cluster.emptyAll();
  voteInAll(house, [process], polls);
  await expectRight({ house, board, polls });
  const isServed = async (): Promise<boolean> => {
    await expectRight({ house, board, polls });
    await board.flushNow();
    return (await board.read(polls[0] as Poll)).servedVia !== 'in_memory'; // There are many.
  };
  await expect.poll(isServed, patience).toBe(true);
  await untilServed(board, house);
  await untilAllHold({ house, polls });
});

test('what is foreign in the slots of the board is removed if it has the name of a poll, and else left', async () => {
  const { house, board, polls } = await start();
  const client = await connectToServer([...(await cluster.masters())].find(([, has]) => has(toClusterSlot('{3}')))?.[0] ?? ''); // prettier-ignore
  const keys = toPartKeys(3);
  await client.hSet(`${keys.pollPrefix}of nobody`, 'A', '5');
  await client.set('not ours {3}', 'text');
  await client.del(keys.board);
  await untilServed(board, house);
  await expect.poll(async () => client.exists(`${keys.pollPrefix}of nobody`), patience).toBe(0);
  expect(await client.get('not ours {3}')).toBe('text');
  await untilAllHold({ house, polls });
});

test('a deleted poll is removed', async () => {
  const { house, process, board, polls } = await start();
  const [poll, ...others] = polls as [Poll, ...Poll[]];
  house.removePoll(poll);
  process.board.drop(poll.pollNo);
  board.drop(poll);
  await untilAllHold({ house, polls: others });
});

test('a slot that moves to another master takes its polls along, and reads are right all the while', async () => {
  const { house, process, board, polls } = await start();
  const part = 17;
  const slot = toClusterSlot(toPartKeys(part).board);
  const masters = [...(await cluster.masters())];
  const from = masters.find(([, hasSlot]) => hasSlot(slot))?.[0] ?? '';
  const to = masters.find(([, hasSlot]) => !hasSlot(slot))?.[0] ?? '';
  const step = async (): Promise<void> => {
    voteInAll(house, [process], polls);
    await expectRight({ house, board, polls });
    await board.flushNow();
    await expectRight({ house, board, polls });
  };
  await moveSlot(cluster.servers(), slot, [from, to], step);
  await step();
  const inPart = polls.filter((poll) => toClusterKey(boardKeyOf(poll)).startsWith(toPartKeys(part).pollPrefix));
  expect(inPart.length).toBeGreaterThan(0);
  for (const poll of inPart) {
    await expect.poll(async () => (await board.read(poll)).servedVia, patience).toBe(`redis_${new URL(to).port}`);
  }
  await untilServed(board, house);
  await board.flushNow();
  await untilAllHold({ house, polls });
});

test('a server that does not answer keeps nobody from the others, even where it is a seed', async () => {
  const [hung] = cluster.servers().slice(-1);
  if (hung === undefined) throw new Error('The cluster has no servers.');
  const house = createBoardHouse();
  const process = await house.startProcess();
  const ring = toClusterRing(cluster);
  ring.stored = { ...ring.stored, nodes: ['redis://127.0.0.1:1', hung.url, ...cluster.seeds()] };
  globalThis.process.kill(hung.pid(), 'SIGSTOP');
  try {
    const board = openRing(house, process, ring);
    const polls = addPolls(house);
    voteInAll(house, [process], polls);
    await untilServed(board, house);
    await expectRight({ house, board, polls });
  } finally {
    globalThis.process.kill(hung.pid(), 'SIGCONT');
  }
});

test('a cluster that is not there keeps no process from starting, and is used when it comes', async () => {
  const servers = cluster.servers();
  await Promise.all(servers.map((server) => server.kill()));
  const house = createBoardHouse();
  const process = await house.startProcess();
  const board = openRing(house, process, toClusterRing(cluster));
  const polls = addPolls(house);
  voteInAll(house, [process], polls);
  await expectRight({ house, board, polls });
  await board.flushNow();
  await Promise.all(servers.map((server) => server.restart()));
  await untilServed(board, house);
  await board.flushNow();
  await untilAllHold({ house, polls });
  await expectRight({ house, board, polls });
});

test('other seeds of the same cluster change nothing but the connections', async () => {
  const { house, process, board, polls, ring } = await start();
  ring.stored = { ...ring.stored, generation: 2, nodes: cluster.servers().slice(2, 4).map(({ url }) => url) }; // prettier-ignore
  voteInAll(house, [process], polls);
  const generation = async (): Promise<string> => (await cluster.hash(toPartKeys(5).board))['ring'] ?? '';
  const isTaken = async (): Promise<string> => {
    await expectRight({ house, board, polls });
    return generation();
  };
  await expect.poll(isTaken, patience).toBe('2');
  await untilServed(board, house);
  await board.flushNow();
  await untilAllHold({ house, polls });
});

test('servers that want a password get that of the seeds, and no log shows it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-cluster-'));
  const guarded = await startRedisCluster(folder, { password: 'hush-hush' });
  onTestFinished(async () => {
    await guarded.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const [seed = ''] = guarded.urls;
  const house = createBoardHouse();
  const process = await house.startProcess();
  const logged: string[] = [];
  const note = (facts: object, event: string): void => void logged.push(`${event} ${inspect(facts, { depth: 10 })}`);
  const ring = toClusterRing(cluster);
  ring.stored = { ...ring.stored, nodes: [seed] };
  const board = openRing(house, process, ring, { log: { debug: note, info: note, warn: note, error: note } });
  addPolls(house);
  await untilServed(board, house);
  await Promise.all(guarded.servers.map((server) => server.kill()));
  await expect.poll(() => logged.join('\n'), patience).toContain('Redis Cluster is away');
  expect(logged.join('\n')).not.toContain('hush');
});
