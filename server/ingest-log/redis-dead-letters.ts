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

  async function readThrough(end: string, limit: number): Promise<DeadLetter[]> {
    const entries = await client.sendCommand<[id: Buffer, fields: Buffer[]][]>(
      ['XRANGE', deadKey, '-', end, 'COUNT', String(limit)],
      withBuffers,
    );
    return entries.map(([id, fields]) => toLetter(id.toString(), fields));
  }

  return {
    bury: (bytes, reason) => append(deadKey, { reason, bytes }),
    count: () => client.xLen(deadKey),
    list: (limit) => readThrough('+', limit),
    async replay() {
      // What dies again meanwhile waits for the next replay.
      const [last] = await client.sendCommand<[id: string][]>(['XREVRANGE', deadKey, '+', '-', 'COUNT', '1']);
      if (last === undefined) return 0;
      let count = 0;
      for (;;) {
        const letters = await readThrough(last[0], replayLettersMax);
        if (letters.length === 0) return count;
        for (const { id, bytes } of letters) {
          await append(key, toFields(bytes));
          await client.xDel(deadKey, id);
          count += 1;
        }
      }
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
