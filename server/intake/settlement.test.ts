import { expect, test } from 'vitest';
import { createOutstanding } from '../ingest-log/outstanding.ts';
import type { LogNode, LogProgress } from '../ledger/log-progress.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { createSettlement } from './settlement.ts';
import { silentLog } from './test-support.ts';

const nodeId = Buffer.alloc(16, 1);
const other = toUuidText(Buffer.alloc(16, 2));

function createSample() {
  const state = { now: 1_000, segments: 0, oldestUnsent: null as number | null, away: false };
  const others: LogNode[] = [];
  const marks = new Set<number>();
  const dropped: string[] = [];
  const outstanding = createOutstanding();
  const progress: LogProgress = {
    report(_id, settledThrough) {
      if (state.away) return Promise.reject(new Error('The ledger is away.'));
      return Promise.resolve([{ nodeId: toUuidText(nodeId), settledThrough, silentMs: 0 }, ...others]);
    },
    dropNode: (id) => Promise.resolve(void dropped.push(id)),
    readMarks: () => Promise.resolve([...marks]),
    forgetMarks: (_id, segmentNos) => Promise.resolve(segmentNos.forEach((no) => marks.delete(no))),
    settle: () => Promise.resolve(),
  };
  const settlement = createSettlement({
    nodeId,
    progress,
    outstanding,
    oldestWaitingAt: () => outstanding.oldestAt() ?? state.oldestUnsent,
    measureLog: () => Promise.resolve({ segments: state.segments, consumers: 1 }),
    now: () => state.now,
    isAwaited: () => false,
    log: silentLog,
  });
  return { settlement, state, others, marks, dropped, outstanding };
}

test('without ballots on their way everything is settled up to now', async () => {
  const { settlement, state } = createSample();
  expect(settlement.through()).toBe(Number.NEGATIVE_INFINITY);
  await settlement.look();
  expect(settlement.through()).toBe(1_000);
  state.now = 2_000;
  state.away = true;
  await settlement.look();
  expect(settlement.through()).toBe(1_000);
});

test('it is settled up to the oldest segment that no worker has marked', async () => {
  const { settlement, state, marks, outstanding } = createSample();
  outstanding.add(1, 400);
  outstanding.add(2, 500);
  await settlement.look();
  expect(settlement.through()).toBe(400);
  marks.add(1);
  await settlement.look();
  expect([settlement.through(), marks.size]).toEqual([500, 0]);
  marks.add(2);
  state.oldestUnsent = 900;
  await settlement.look();
  expect(settlement.through()).toBe(900);
});

test('another process holds back what it has not settled, and the time never goes back', async () => {
  const { settlement, state, others } = createSample();
  others.push({ nodeId: other, settledThrough: 700, silentMs: 50 });
  await settlement.look();
  expect(settlement.through()).toBe(700);
  others[0] = { nodeId: other, settledThrough: 600, silentMs: 50 };
  await settlement.look();
  expect(settlement.through()).toBe(700);
  others.length = 0;
  state.now = 3_000;
  await settlement.look();
  expect(settlement.through()).toBe(3_000);
});

test('a process that died holds the others back while the log may hold what it appended', async () => {
  const { settlement, state, others, dropped, outstanding } = createSample();
  others.push({ nodeId: other, settledThrough: 700, silentMs: 30_000 });
  state.segments = 3;
  state.now = 100_000;
  await settlement.look();
  expect([settlement.through(), settlement.backlog(), dropped]).toEqual([700, 3, []]);
  // What waits now was accepted long after the other one fell silent.
  outstanding.add(1, 95_000);
  await settlement.look();
  expect([settlement.through(), dropped]).toEqual([95_000, [other]]);
});

test('a process that ends with nothing on its way signs off, and one with something does not', async () => {
  const { settlement, dropped, outstanding, marks } = createSample();
  outstanding.add(1, 400);
  await settlement.stop();
  expect(dropped).toEqual([]);
  marks.add(1);
  await settlement.stop();
  expect(dropped).toEqual([toUuidText(nodeId)]);
});
