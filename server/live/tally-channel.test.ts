import { expect, test } from 'vitest';
import type { TallyDelta } from '../tally/tally-change.ts';
import { createTallyChannel } from './tally-channel.ts';

/** What one process puts into its channel, as another one hears it. */
function hearOf(deltas: readonly TallyDelta[]): (readonly [slot: number, batchNo: number, batchCount: number])[] {
  const heard: TallyDelta[] = [];
  const hearing = { onDelta: (delta: TallyDelta) => void heard.push(delta), onTooMuch: () => undefined };
  const receiver = createTallyChannel(hearing, () => undefined);
  const sender = createTallyChannel(hearing, (payloads) => payloads.forEach(receiver.hear));
  deltas.forEach(sender.put);
  sender.flush();
  return heard.map(({ slot, batchNo, batchCount = 1 }) => [slot, batchNo, batchCount] as const);
}

const toDelta = (slot: number, batchNo: number, changeCount = 0): TallyDelta => ({
  slot,
  batchNo,
  changes: Array.from({ length: changeCount }, (_, pollNo) => ({
    pollNo,
    optionNo: 1,
    second: 1_700_000_000,
    votes: 1,
    ballots: 1,
    changes: 1,
  })),
});

test('batches are heard each for itself, those of a slot in their order', () => {
  expect(hearOf([toDelta(1, 7, 5), toDelta(2, 3, 5), toDelta(1, 8, 5), toDelta(1, 9)])).toEqual([
    [1, 7, 1],
    [1, 8, 1],
    [1, 9, 1],
    [2, 3, 1],
  ]);
});

test('long batches of a slot that follow each other are told as one', () => {
  expect(hearOf([toDelta(1, 7, 150), toDelta(2, 3, 400), toDelta(1, 8, 150), toDelta(1, 9)])).toEqual([
    [1, 9, 3],
    [2, 3, 1],
  ]);
});

test('where a batch is missing between two, both are told, so that whoever hears them sees the gap', () => {
  expect(hearOf([toDelta(1, 7), toDelta(1, 9), toDelta(1, 10)])).toEqual([
    [1, 7, 1],
    [1, 9, 1],
    [1, 10, 1],
  ]);
});
