/**
 * The segments of this process that are not known to be recorded, in the order in which they were made. They bound the time up to which
 * everything that this process accepted has its outcome.
 */

export type Outstanding = {
  /** `acceptedAt` is the acceptance of its first ballot (milliseconds), never earlier than that of the segment before. */
  add(segmentNo: number, acceptedAt: number): void;
  /** It is recorded, or certainly not in the log. */
  remove(segmentNo: number): void;
  /** Whether the log has it is not known, and will not be: after a while nobody waits for it any more. */
  doubt(segmentNo: number): void;
  /** The acceptance of the oldest ballot that somebody waits for; null without one. */
  oldestAt(): number | null;
  count(): number;
};

/** Longer than a segment in doubt takes to turn up at a worker, where it does. */
const doubtMsMax = 15_000;

export function createOutstanding(monotonicNow: () => number = () => performance.now()): Outstanding {
  const waiting = new Map<number, number>();
  const doubtedSince = new Map<number, number>();

  function dropStale(): void {
    const before = monotonicNow() - doubtMsMax;
    for (const [segmentNo, since] of doubtedSince) {
      if (since > before) return;
      doubtedSince.delete(segmentNo);
      waiting.delete(segmentNo);
    }
  }

  return {
    add: (segmentNo, acceptedAt) => void waiting.set(segmentNo, acceptedAt),
    remove(segmentNo) {
      waiting.delete(segmentNo);
      doubtedSince.delete(segmentNo);
    },
    doubt(segmentNo) {
      if (waiting.has(segmentNo)) doubtedSince.set(segmentNo, monotonicNow());
    },
    oldestAt() {
      dropStale();
      for (const acceptedAt of waiting.values()) return acceptedAt;
      return null;
    },
    count: () => waiting.size,
  };
}
