/**
 * How far a partition may be committed. Segments are acknowledged in any order, and a log that keeps one offset per partition can only be
 * told "everything before": so it is told of the longest run, from the first segment handed over, that has no gap in it.
 */
export type OffsetWatermark = {
  /** Answers whether the offset is new. Offsets are handed over in rising order; some may be missing, where the log has no record. */
  deliver(offset: bigint): boolean;
  acknowledge(offset: bigint): void;
  /** Every segment before this offset is acknowledged. */
  next(): bigint;
};

export function createOffsetWatermark(firstOffset: bigint): OffsetWatermark {
  /** Whether each is acknowledged, in rising order, beginning with the first that is not. */
  const delivered = new Map<bigint, boolean>();
  let nextDelivery = firstOffset;
  let next = firstOffset;

  return {
    deliver(offset) {
      if (offset < nextDelivery) return false;
      delivered.set(offset, false);
      nextDelivery = offset + 1n;
      return true;
    },
    acknowledge(offset) {
      if (!delivered.has(offset)) return;
      delivered.set(offset, true);
      for (const [first, acknowledged] of delivered) {
        if (!acknowledged) break;
        delivered.delete(first);
        next = first + 1n;
      }
    },
    next: () => next,
  };
}
