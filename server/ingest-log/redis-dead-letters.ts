/** Dead letters on a second stream, beside that of the log. */
import { withBuffers, type RedisClient } from '../lib/redis-client.ts';
import type { DeadLetter, DeadLetters } from './segment-log.ts';

type Fields = Record<string, Buffer | string>;

export type RedisDeadLettersOptions = {
  /** The stream of the log. */
  readonly key: string;
  /** @throws {AppendFailed} */
  readonly append: (key: string, fields: Fields) => Promise<void>;
  /** The entry of a segment in the log. */
  readonly toFields: (segment: Buffer) => Fields;
};

const replayLettersMax = 100;

export function createRedisDeadLetters(client: RedisClient, options: RedisDeadLettersOptions): DeadLetters {
  const { key, append, toFields } = options;
  const deadKey = `${key}:dead`;

  async function list(limit: number): Promise<DeadLetter[]> {
    const entries = await client.sendCommand<[id: Buffer, fields: Buffer[]][]>(
      ['XRANGE', deadKey, '-', '+', 'COUNT', String(limit)],
      withBuffers,
    );
    return entries.map(([id, fields]) => toLetter(id.toString(), fields));
  }

  return {
    bury: (bytes, reason) => append(deadKey, { reason, bytes }),
    count: () => client.xLen(deadKey),
    list,
    async replay() {
      let count = 0;
      for (let letters = await list(replayLettersMax); letters.length > 0; letters = await list(replayLettersMax)) {
        for (const { id, bytes } of letters) {
          await append(key, toFields(bytes));
          await client.xDel(deadKey, id);
          count += 1;
        }
      }
      return count;
    },
  };
}

function toLetter(id: string, fields: readonly Buffer[]): DeadLetter {
  // An id of a stream begins with the milliseconds of its making.
  return {
    id,
    reason: fields[1]?.toString() ?? '',
    bytes: fields[3] ?? Buffer.alloc(0),
    diedAt: Number.parseInt(id, 10),
  };
}
