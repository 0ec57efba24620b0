import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeBallot, makePoll } from '../poll/test-support.ts';
import { decodeSegment, encodeSegment, toSegmentBytes } from './segment.ts';

const head = { ledger: Buffer.alloc(8, 1), nodeId: Buffer.alloc(16, 2), segmentNo: 3 };
const poll = makePoll();

const anyBallot = fc.record({
  acceptedUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  voterKey: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  retryKey: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes))),
  follows: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes))),
  selections: fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 200 }),
});

test('a segment comes out as it went in', () => {
  fc.assert(
    fc.property(
      fc.array(anyBallot, { maxLength: 20 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      (parts, segmentNo) => {
        const ballots = parts.map(({ follows, ...part }) => ({ ...makeBallot(poll, 1, part), follows }));
        const bytes = encodeSegment({ ...head, segmentNo }, ballots);
        const { pollNo, ballotForm } = poll;
        expect(decodeSegment(bytes)).toEqual({
          ...head,
          segmentNo,
          ballots: parts.map((part) => ({ pollNo, ballotForm, ...part })),
        });
        expect(bytes).toHaveLength(ballots.reduce((sum, ballot) => sum + toSegmentBytes(ballot), 44));
      },
    ),
  );
});

test('bytes that are no segment are refused, whatever they are', () => {
  const whole = encodeSegment(head, [{ ...makeBallot(poll, 1, { acceptedUs: 5 }), follows: null }]);
  for (let length = 0; length < whole.length; length += 1) {
    expect(() => decodeSegment(whole.subarray(0, length))).toThrow(/segment|checksum/u);
  }
  for (let place = 0; place < whole.length; place += 1) {
    const broken = Buffer.from(whole);
    broken[place] = (broken[place] ?? 0) ^ 0x10;
    expect(() => decodeSegment(broken)).toThrow(/segment|checksum/u);
  }
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(() => decodeSegment(Buffer.from(bytes))).toThrow(Error);
    }),
  );
});
