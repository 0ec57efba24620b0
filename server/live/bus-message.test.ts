import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TallyDelta } from '../tally/tally-change.ts';
import { createReceiver, mergeDeltas, toPayloads } from './bus-message.ts';

const change = fc.record({
  pollNo: fc.integer({ min: 1, max: 2_000_000_000 }),
  optionNo: fc.integer({ min: 0, max: 1_000 }),
  second: fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
  votes: fc.integer({ min: -4_000, max: 4_000 }),
  ballots: fc.integer({ min: -4_000, max: 4_000 }),
  changes: fc.nat({ max: 4_000 }),
});
const delta: fc.Arbitrary<TallyDelta> = fc.record({
  slot: fc.integer({ min: 1, max: 10_000 }),
  batchNo: fc.integer({ min: 1, max: 1_000_000_000 }),
  batchCount: fc.integer({ min: 1, max: 50 }),
  changes: fc.array(change, { maxLength: 400 }),
});

test('a delta arrives as it was, in however many parts', () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 4 }), (deltas) => {
      const receive = createReceiver('me');
      const payloads = deltas.flatMap((each, messageNo) => toPayloads({ processId: 'other', messageNo }, [each]));
      expect(payloads.every((payload) => Buffer.byteLength(payload) < 8_000)).toBe(true);
      const received = payloads.map(receive).filter((each) => each !== null);
      expect(received).toEqual(deltas.map((each) => ({ kind: 'deltas', deltas: [each] })));
    }),
    { numRuns: 100 },
  );
});

test('the parts of several senders may be mixed', () => {
  const long: TallyDelta = {
    slot: 1,
    batchNo: 1,
    batchCount: 1,
    changes: Array.from({ length: 600 }, (_, index) => ({
      pollNo: index,
      optionNo: 1,
      second: 1_700_000_000,
      votes: 1,
      ballots: 1,
      changes: 1,
    })),
  };
  const [a, b] = ['a', 'b'].map((processId) => toPayloads({ processId, messageNo: 1 }, [long]));
  const receive = createReceiver('me');
  const received = (a ?? []).flatMap((part, index) => [receive(part), receive(b?.[index] ?? '')]);
  expect(received.filter((each) => each !== null)).toHaveLength(2);
});

test('a message whose beginning was missed is left out, the next one is read', () => {
  const long: TallyDelta = {
    slot: 1,
    batchNo: 1,
    batchCount: 1,
    changes: Array.from({ length: 600 }, (_, pollNo) => ({
      pollNo,
      optionNo: 1,
      second: 1_700_000_000,
      votes: 1,
      ballots: 1,
      changes: 1,
    })),
  };
  const receive = createReceiver('me');
  const [, ...rest] = toPayloads({ processId: 'a', messageNo: 1 }, [long]);
  expect(rest.map(receive).every((each) => each === null)).toBe(true);
  const whole = toPayloads({ processId: 'a', messageNo: 2 }, [{ ...long, changes: [] }]);
  expect(whole.map(receive)).toEqual([{ kind: 'deltas', deltas: [{ ...long, changes: [] }] }]);
});

test("what is too long says so, what is one's own and what is no message says nothing", () => {
  const huge: TallyDelta = {
    slot: 1,
    batchNo: 1,
    batchCount: 1,
    changes: Array.from({ length: 30_000 }, (_, pollNo) => ({
      pollNo,
      optionNo: 1,
      second: 1_700_000_000,
      votes: 1,
      ballots: 1,
      changes: 1,
    })),
  };
  const receive = createReceiver('me');
  expect(toPayloads({ processId: 'a', messageNo: 1 }, [huge]).map(receive)).toEqual([{ kind: 'too_much' }]);
  expect(toPayloads({ processId: 'me', messageNo: 1 }, [huge]).map(receive)).toEqual([null]);
  expect(receive('nonsense')).toBeNull();
});

test('merged deltas hold the sums and cover the batches of all', () => {
  const one = { pollNo: 1, optionNo: 1, second: 5, votes: 2, ballots: 2, changes: 2 };
  const toDelta = (batchNo: number): TallyDelta => ({ slot: 4, batchNo, changes: [one, { ...one, optionNo: 2 }] });
  expect(mergeDeltas([toDelta(1), toDelta(2), toDelta(3)])).toEqual({
    slot: 4,
    batchNo: 3,
    batchCount: 3,
    changes: [
      { ...one, votes: 6, ballots: 6, changes: 6 },
      { ...one, optionNo: 2, votes: 6, ballots: 6, changes: 6 },
    ],
  });
});
