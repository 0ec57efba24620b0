/**
 * Where log lines go: a file descriptor that may be slow, full, or without a reader. Nothing waits for it, nothing is thrown because of it, and what
 * waits in memory is limited. Lines that cannot be written are lost; later ones are tried again, so that a log goes on when its disk has room.
 */
import * as fs from 'node:fs';

export type LogOutput = {
  write(line: string): void;
  /** Writes what waits, for the end of a process. Gives up where that does not go, or takes too long. */
  flushSync(): void;
};

const retryMs = 20;
const retriesMax = 50;

/** `charactersWaitingMax`: of lines that wait for a slow reader. Beyond it lines are left out. */
export function createLogOutput(fd: number, { charactersWaitingMax }: { charactersWaitingMax: number }): LogOutput {
  let waiting: string[] = [];
  let waitingCharacters = 0;
  /** What is being written, as far as it is not written yet. */
  let batch = Buffer.alloc(0);

  function takeBatch(): void {
    batch = Buffer.from(waiting.join(''));
    waiting = [];
    waitingCharacters = 0;
  }

  function writeBatch(): void {
    fs.write(fd, batch, (error, written) => {
      if (isBusy(error)) {
        setTimeout(writeBatch, retryMs).unref();
        return;
      }
      batch = error === null ? batch.subarray(written) : Buffer.alloc(0);
      if (batch.length === 0) takeBatch();
      if (batch.length > 0) writeBatch();
    });
  }

  return {
    write(line) {
      if (waitingCharacters + line.length > charactersWaitingMax) return;
      waiting.push(line);
      waitingCharacters += line.length;
      if (batch.length > 0) return;
      takeBatch();
      writeBatch();
    },
    flushSync() {
      let retries = 0;
      let rest = Buffer.concat([batch, Buffer.from(waiting.join(''))]);
      while (rest.length > 0 && retries <= retriesMax) {
        try {
          rest = rest.subarray(fs.writeSync(fd, rest));
        } catch (error) {
          if (!isBusy(error)) return;
          retries += 1;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
        }
      }
    },
  };
}

/** The reader of a pipe is slow, and the pipe is one that does not wait for it. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
