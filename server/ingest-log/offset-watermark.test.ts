import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOffsetWatermark } from './offset-watermark.ts';

test('nothing is committed before anything is acknowledged', () => {
  const watermark = createOffsetWatermark(7n);
  watermark.deliver(7n);
  watermark.deliver(8n);
  expect(watermark.next()).toBe(7n);
});

test('what is acknowledged ahead of an older segment waits for it', () => {
  const watermark = createOffsetWatermark(0n);
  for (const offset of [0n, 1n, 2n]) watermark.deliver(offset);
  watermark.acknowledge(2n);
  watermark.acknowledge(1n);
  expect(watermark.next()).toBe(0n);
  watermark.acknowledge(0n);
  expect(watermark.next()).toBe(3n);
});

test('an offset without a record does not hold the others up', () => {
  const watermark = createOffsetWatermark(0n);
  watermark.deliver(3n);
  watermark.deliver(9n);
  watermark.acknowledge(3n);
  expect(watermark.next()).toBe(4n);
  watermark.acknowledge(9n);
  expect(watermark.next()).toBe(10n);
});

test('an offset that comes again is not new, whether acknowledged or in hand', () => {
  const watermark = createOffsetWatermark(0n);
  expect([watermark.deliver(0n), watermark.deliver(1n)]).toEqual([true, true]);
  watermark.acknowledge(0n);
  expect([watermark.deliver(0n), watermark.deliver(1n)]).toEqual([false, false]);
  expect(watermark.next()).toBe(1n);
});

test('an acknowledgement of what was never handed over, or a second one, changes nothing', () => {
  const watermark = createOffsetWatermark(5n);
  watermark.deliver(5n);
  watermark.acknowledge(4n);
  watermark.acknowledge(6n);
  expect(watermark.next()).toBe(5n);
  watermark.acknowledge(5n);
  watermark.acknowledge(5n);
  expect(watermark.next()).toBe(6n);
});

test('in any order of acknowledgements, exactly the run without a gap may be committed', () => {
  const offsets = fc.uniqueArray(fc.bigInt({ min: 0n, max: 60n }), { minLength: 1 });
  const orders = offsets.chain((made) =>
    fc.record({
      delivered: fc.constant([...made].sort((a, b) => Number(a - b))),
      acknowledged: fc.shuffledSubarray(made, { minLength: 0 }),
    }),
  );
  fc.assert(
    fc.property(orders, ({ delivered, acknowledged }) => {
      const watermark = createOffsetWatermark(0n);
      for (const offset of delivered) watermark.deliver(offset);
      const done = new Set<bigint>();
      for (const offset of acknowledged) {
        watermark.acknowledge(offset);
        done.add(offset);
        const firstOpen = delivered.findIndex((each) => !done.has(each));
        const run = firstOpen === -1 ? delivered : delivered.slice(0, firstOpen);
        expect(watermark.next()).toBe((run.at(-1) ?? -1n) + 1n);
      }
    }),
  );
});
