/**
 * A segment as bytes: every ballot that was accepted while the segment before it was on its way to the broker.
 *
 *     magic "HSG1" | ledger 8 | node 16 | segment number 8 | ballots 4 | ballot … | CRC-32 of all before 4
 *     ballot: poll 4 | form 4 | accepted µs 8 | id 16 | voter 16 | flags 1 | retry key 16, where flag 1 is set |
 *       ballot that it follows 16, where flag 2 is set | selections 2 | option 2 …
 *
 * Numbers are unsigned and big-endian; those of 8 bytes stay below 2^53. The ledger's epoch is part of it because poll numbers mean
 * something in one ledger only, and two installations may share a broker.
 */
import { crc32 } from 'node:zlib';
import type { Ballot } from '../poll/ballot.ts';

/** A ballot as it comes out of a segment: its poll is a number yet. */
export type SegmentBallot = Omit<Ballot, 'poll' | 'acceptedUs'> & {
  readonly pollNo: number;
  /** The form of the ballot when it was accepted. */
  readonly ballotForm: number;
  readonly acceptedUs: number;
  /** An earlier ballot of the same voter that was on its way when this one was accepted. */
  readonly follows: Buffer | null;
};

export type SegmentHead = {
  /** The epoch of the ledger that the ballots are for, 8 bytes. */
  readonly ledger: Buffer;
  /** The process that accepted them, 16 bytes. */
  readonly nodeId: Buffer;
  /** Counts the segments of that process from 1. */
  readonly segmentNo: number;
};

export type Segment = SegmentHead & { readonly ballots: readonly SegmentBallot[] };

const magic = Buffer.from('HSG1');
const headBytes = 4 + 8 + 16 + 8 + 4;
const crcBytes = 4;
/** poll, form, accepted, id, voter, flags, number of selections. */
const ballotBytesMin = 4 + 4 + 8 + 16 + 16 + 1 + 2;
const retryKeyFlag = 1;
const followsFlag = 2;

/** What of a ballot and its poll goes into a segment. */
export type BallotForSegment = Omit<Ballot, 'poll'> &
  Pick<SegmentBallot, 'follows'> & { readonly poll: Pick<Ballot['poll'], 'pollNo' | 'ballotForm'> };

/** The bytes that a ballot takes in a segment. */
export function toSegmentBytes({
  retryKey,
  follows,
  selections,
}: Pick<BallotForSegment, 'retryKey' | 'follows' | 'selections'>): number {
  return ballotBytesMin + (retryKey === null ? 0 : 16) + (follows === null ? 0 : 16) + selections.length * 2;
}

/** Every ballot has its `acceptedUs`. */
export function encodeSegment(
  { ledger, nodeId, segmentNo }: SegmentHead,
  ballots: readonly BallotForSegment[],
): Buffer {
  const size = ballots.reduce((sum, ballot) => sum + toSegmentBytes(ballot), headBytes + crcBytes);
  const bytes = Buffer.allocUnsafe(size);
  magic.copy(bytes, 0);
  ledger.copy(bytes, 4);
  nodeId.copy(bytes, 12);
  writeUInt64(bytes, segmentNo, 28);
  let offset = bytes.writeUInt32BE(ballots.length, 36);
  for (const ballot of ballots) offset = writeBallot(bytes, ballot, offset);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, offset)), offset);
  return bytes;
}

function writeBallot(bytes: Buffer, ballot: BallotForSegment, start: number): number {
  const { poll, id, voterKey, retryKey, follows, selections, acceptedUs } = ballot;
  let offset = bytes.writeUInt32BE(poll.pollNo, start);
  offset = bytes.writeUInt32BE(poll.ballotForm, offset);
  offset = writeUInt64(bytes, acceptedUs ?? 0, offset);
  offset += id.copy(bytes, offset, 0, 16);
  offset += voterKey.copy(bytes, offset, 0, 16);
  const flags = (retryKey === null ? 0 : retryKeyFlag) | (follows === null ? 0 : followsFlag);
  offset = bytes.writeUInt8(flags, offset);
  if (retryKey !== null) offset += retryKey.copy(bytes, offset, 0, 16);
  if (follows !== null) offset += follows.copy(bytes, offset, 0, 16);
  offset = bytes.writeUInt16BE(selections.length, offset);
  for (const optionNo of selections) offset = bytes.writeUInt16BE(optionNo, offset);
  return offset;
}

/** @throws {Error} which says in a few words why the bytes are no segment */
export function decodeSegment(bytes: Buffer): Segment {
  if (bytes.length < headBytes + crcBytes || !bytes.subarray(0, 4).equals(magic)) throw new Error('no segment');
  const end = bytes.length - crcBytes;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw new Error('checksum differs');
  const count = bytes.readUInt32BE(36);
  const body = bytes.subarray(0, end);
  const ballots: SegmentBallot[] = [];
  let offset = headBytes;
  while (ballots.length < count) {
    const read = readBallot(body, offset);
    ballots.push(read.ballot);
    offset = read.end;
  }
  if (offset !== end) throw new Error('length differs');
  return { ledger: bytes.subarray(4, 12), nodeId: bytes.subarray(12, 28), segmentNo: readUInt64(bytes, 28), ballots };
}

function readBallot(bytes: Buffer, start: number): { ballot: SegmentBallot; end: number } {
  if (start + ballotBytesMin > bytes.length) throw new Error('length differs');
  const flags = bytes[start + 48] ?? 0;
  const followsAt = start + 49 + (flags & retryKeyFlag ? 16 : 0);
  const countAt = followsAt + (flags & followsFlag ? 16 : 0);
  if (countAt + 2 > bytes.length) throw new Error('length differs');
  const count = bytes.readUInt16BE(countAt);
  const end = countAt + 2 + count * 2;
  if (end > bytes.length) throw new Error('length differs');
  const selections: number[] = [];
  for (let at = countAt + 2; at < end; at += 2) selections.push(bytes.readUInt16BE(at));
  const ballot: SegmentBallot = {
    pollNo: bytes.readUInt32BE(start),
    ballotForm: bytes.readUInt32BE(start + 4),
    acceptedUs: readUInt64(bytes, start + 8),
    id: bytes.subarray(start + 16, start + 32),
    voterKey: bytes.subarray(start + 32, start + 48),
    retryKey: flags & retryKeyFlag ? bytes.subarray(start + 49, start + 65) : null,
    follows: flags & followsFlag ? bytes.subarray(followsAt, followsAt + 16) : null,
    selections,
  };
  return { ballot, end };
}

function writeUInt64(bytes: Buffer, value: number, offset: number): number {
  return bytes.writeUInt32BE(value % 2 ** 32, bytes.writeUInt32BE(Math.floor(value / 2 ** 32), offset));
}

function readUInt64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
}
