/**
 * Answers that are written while their request is still being read, and held back until it has come as a whole. A client may read and
 * write at the same time, but proxies do not: once an answer has begun, those written in Go throw away what they have not yet passed on of
 * the request (net/http, "maxPostHandlerReadBytes"), and the rest of a batch would never arrive.
 *
 * Held back is memory, so it is bounded for all requests together: beyond the bound an answer begins early, and its client has to read it
 * before more of its request is read.
 */
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';

export type HeldAnswer = {
  readonly stream: Readable;
  /** Resolves when it is to be sent. */
  readonly begun: Promise<void>;
  write(text: string): void;
  begin(): void;
  /** Resolves when more may be written. */
  room(): Promise<void>;
  end(): void;
};

export function createHeldAnswers(charsMax: number): { open(): HeldAnswer } {
  let heldChars = 0;

  return {
    open() {
      const stream = new PassThrough();
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      let own = 0;
      let isHeld = true;

      function begin(): void {
        if (!isHeld) return;
        isHeld = false;
        heldChars -= own;
        resolve();
      }

      return {
        stream,
        begun,
        begin,
        write(text) {
          stream.write(text);
          if (!isHeld) return;
          own += text.length;
          heldChars += text.length;
          if (heldChars > charsMax) begin();
        },
        async room() {
          if (!isHeld && stream.writableNeedDrain) await once(stream, 'drain');
        },
        end() {
          begin();
          stream.end();
        },
      };
    },
  };
}
