/**
 * Ids of ballots that go into a log. Any process of the installation can tell that one of them made an id, so it can answer for a
 * ballot that is still on its way; and a retry with the same key has the same id, wherever it is accepted.
 *
 * Without a key it is a UUID of version 7. With a key it is one of version 8 (RFC 9562, section 5.8), a hash of poll, voter and key.
 * In both the last three bytes are a checksum of the others that begins with a number only the installation knows. That is not for safety (whoever
 * has seen some ids can make more, and is told "received" for ballots that nobody cast, for a second), it spares a look-up.
 * On 2026-11-21, on a busy machine, making the whole id took 0.35 µs, and a SHA-256 alone 1.8 µs.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { toUuidV7 } from '../lib/uuid-v7.ts';

export type BallotIds = {
  /** A new id for a moment in microseconds since 1970. */
  ofMoment(tick: number): Buffer;
  /** The one id of whatever this voter casts in this poll with this key. */
  ofRetry(pollId: string, voterKey: Buffer, retryKey: Buffer): Buffer;
  /** Whether a process with this secret made the id. */
  isOurs(id: Buffer): boolean;
};

const sealOffset = 13;

export function createBallotIds(secret: Buffer): BallotIds {
  const prefix = secret.toString('hex');
  const start = hash('sha256', `${prefix}\nballot id`, 'buffer').readUInt32BE(0);

  function toSeal(id: Buffer): number {
    return crc32(id.subarray(0, sealOffset), start) >>> 8;
  }

  function seal(id: Buffer): Buffer {
    id.writeUIntBE(toSeal(id), sealOffset, 3);
    return id;
  }

  return {
    ofMoment: (tick) => seal(toUuidV7(tick)),
    ofRetry(pollId, voterKey, retryKey) {
      const text = `${prefix}\nballot\n${pollId}\n${voterKey.toString('hex')}\n${retryKey.toString('hex')}`;
      const id = Buffer.from(hash('sha256', text, 'buffer').subarray(0, 16));
      id[6] = 0x80 | ((id[6] ?? 0) & 0x0f);
      id[8] = 0x80 | ((id[8] ?? 0) & 0x3f);
      return seal(id);
    },
    isOurs: (id) => id.length === 16 && toSeal(id) === id.readUIntBE(sealOffset, 3),
  };
}
