import { expect, test } from 'vitest';
import { createDrain, type DrainStep } from './drain.ts';

function createSample(timeoutMs: number, ...steps: DrainStep[]) {
  const lines: [event: string, facts: object][] = [];
  const log = (facts: object, event: string) => void lines.push([event, facts]);
  return { stop: createDrain({ timeoutMs, log: { debug: log, info: log, warn: log, error: log } }, steps), lines };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('parts end in their order, each after the one before it', async () => {
  const ended: string[] = [];
  const step = (name: string): DrainStep => [name, () => nextTurn().then(() => void ended.push(name))];
  const { stop, lines } = createSample(10_000, step('http'), ['clock', () => void ended.push('clock')], step('ledger'));
  await stop();
  expect([ended, lines]).toEqual([['http', 'clock', 'ledger'], []]);
});

test('a part that fails is told, and the next one ends', async () => {
  const error = new Error('no');
  const ended: string[] = [];
  const { stop, lines } = createSample(
    10_000,
    ['http', () => Promise.reject(error)],
    [
      'recorder',
      () => {
        throw error;
      },
    ],
    ['ledger', () => void ended.push('ledger')],
  );
  await stop();
  expect(ended).toEqual(['ledger']);
  expect(lines).toEqual([
    ['part did not end cleanly', { err: error, part: 'http' }],
    ['part did not end cleanly', { err: error, part: 'recorder' }],
  ]);
});

test('a part that does not end in time is left behind and told, and those after it are begun', async () => {
  const ended: string[] = [];
  const { stop, lines } = createSample(
    5,
    ['http', () => new Promise(() => {})],
    ['ledger', () => void ended.push('ledger')],
  );
  await stop();
  expect(ended).toEqual(['ledger']);
  expect(lines[0]).toEqual(['part did not end in time', { part: 'http', timeoutMs: 5 }]);
});

test('asked twice, it ends once, and both wait for it', async () => {
  let endCount = 0;
  const { stop } = createSample(10_000, ['http', () => nextTurn().then(() => void (endCount += 1))]);
  const first = stop();
  await stop();
  expect(endCount).toBe(1);
  await first;
});
