/** A set of values that are forgotten after a time, each equally long, and of which there are never more than its limit. */
export type ExpiringSet<Value> = { add(value: Value): void; has(value: Value): boolean };

export type ExpiringSetOptions = { readonly valuesMax: number; readonly keptMs: number };

/** `now` in milliseconds, never stepping back. */
export function createExpiringSet<Value>(
  { valuesMax, keptMs }: ExpiringSetOptions,
  now: () => number,
): ExpiringSet<Value> {
  // In the order in which they are forgotten.
  const endOf = new Map<Value, number>();
  return {
    add(value) {
      endOf.delete(value);
      endOf.set(value, now() + keptMs);
      const [oldest] = endOf.keys();
      if (endOf.size > valuesMax && oldest !== undefined) endOf.delete(oldest);
    },
    has(value) {
      const end = endOf.get(value);
      if (end === undefined || now() < end) return end !== undefined;
      endOf.delete(value);
      return false;
    },
  };
}
