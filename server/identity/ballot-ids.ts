/**
 * Ids of ballots that go into a log. Any process of the installation can tell that one of them made an id, so it can answer for a
 * ballot that is still on its way; and a retry with the same key has the same id, wherever it is accepted.
 *
 * Without a key it is a UUID of version 7. With a key it is one of version 8 (RFC 9562, section 5.8), a hash of poll, voter and key.
 * In both the last three bytes are a hash of the others with the installation's secret. That is not for safety (a guess in 16 million passes, and
 * is told "received" for a ballot that nobody cast), it spares a look-up.
 */
import { hash } from 'node:crypto';
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

  function toSeal(id: Buffer): Buffer {
    return hash('sha256', `${prefix}\nballot id\n${id.toString('latin1', 0, sealOffset)}`, 'buffer');
  }

  function seal(id: Buffer): Buffer {
    toSeal(id).copy(id, sealOffset, 0, id.length - sealOffset);
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
    isOurs: (id) => id.length === 16 && toSeal(id).compare(id, sealOffset, 16, 0, 16 - sealOffset) === 0,
  };
}
