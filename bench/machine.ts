/** What a figure was measured on: without it nobody can compare it. */
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';

const syncs = 200;
const syncBytes = 8_192;

export type Machine = {
  readonly cores: number;
  readonly cpu: string;
  readonly node: string;
  /** Mean time to write 8 KiB durably where the data folders of the bench lie. */
  readonly fdatasyncMeanMs: number;
};

export function readMachine(): Machine {
  const { version } = process;
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: version,
    fdatasyncMeanMs: measureFdatasync(),
  };
}

function measureFdatasync(): number {
  const file = path.join(tmpdir(), `hustings-fdatasync-${process.pid}`);
  const descriptor = openSync(file, 'w');
  const bytes = Buffer.alloc(syncBytes);
  try {
    const startedAt = performance.now();
    for (let count = 0; count < syncs; count += 1) {
      writeSync(descriptor, bytes);
      fdatasyncSync(descriptor);
    }
    return (performance.now() - startedAt) / syncs;
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

/** Time that other machines took from this one, as a share of all, since `since` was read. Linux only, else 0. */
export function readSteal(since: StealCounter): number {
  const now = readStealCounter();
  return now.total === since.total ? 0 : (now.steal - since.steal) / (now.total - since.total);
}

export type StealCounter = { readonly steal: number; readonly total: number };

export function readStealCounter(): StealCounter {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const times = line.trim().split(/\s+/u).slice(1).map(Number);
    return { steal: times[7] ?? 0, total: times.reduce((sum, time) => sum + time, 0) };
  } catch {
    // Not Linux: nothing is known of it.
    return { steal: 0, total: 0 };
  }
}
