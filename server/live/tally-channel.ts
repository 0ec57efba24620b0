/** Tally deltas on a bus, whatever carries them: gathered for a moment and told together, and put together again where they arrive. */
import { randomBytes } from 'node:crypto';
import type { TallyDelta } from '../tally/tally-change.ts';
import type { BusListener } from './bus.ts';
import { createReceiver, toPayloads } from './bus-message.ts';

export type TallyChannel = {
  /** Tells a delta with those that come in the next moment. */
  put(delta: TallyDelta): void;
  /** Tells what waits now. */
  flush(): void;
  /** A payload that has arrived; those of this process say nothing. */
  hear(payload: string): void;
};

const gatherMs = 50;

/** `send` gets payloads in their order, at most twenty times a second. Those that it loses show as a gap at the others. */
export function createTallyChannel(
  listener: Pick<BusListener, 'onTold' | 'onDelta' | 'onTooMuch'>,
  send: (payloads: readonly string[]) => void,
): TallyChannel {
  const processId = randomBytes(8).toString('hex');
  const receive = createReceiver(processId);
  /** Deltas that wait to be told, by their slot; each begins where the one before ends. */
  const gathered = new Map<number, [TallyDelta, ...TallyDelta[]]>();
  let messageNo = 0;
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const bySlot = [...gathered.values()];
    gathered.clear();
    const payloads = bySlot.flatMap((deltas) => toPayloads({ processId, messageNo: (messageNo += 1) }, deltas));
    if (payloads.length > 0) send(payloads);
    for (const deltas of bySlot) listener.onTold?.(deltas.at(-1) ?? deltas[0]);
  }

  return {
    put(delta) {
      const before = gathered.get(delta.slot)?.at(-1);
      // A batch that this process never heard of lies between the two: put together they would hide it.
      if (before !== undefined && delta.batchNo - (delta.batchCount ?? 1) !== before.batchNo) flush();
      const waiting = gathered.get(delta.slot);
      if (waiting === undefined) gathered.set(delta.slot, [delta]);
      else waiting.push(delta);
      timer ??= setTimeout(flush, gatherMs).unref();
    },
    flush,
    hear(payload) {
      const received = receive(payload);
      if (received?.kind === 'deltas') received.deltas.forEach(listener.onDelta);
      else if (received?.kind === 'too_much') listener.onTooMuch();
    },
  };
}
