/** A set that holds the values that were added last, and so never outgrows its limit. */
export type RecentSet<Value> = { add(value: Value): void; has(value: Value): boolean };

export function createRecentSet<Value>(valuesMax: number): RecentSet<Value> {
  const values = new Set<Value>();
  return {
    add(value) {
      values.delete(value);
      values.add(value);
      const [oldest] = values;
      if (values.size > valuesMax && oldest !== undefined) values.delete(oldest);
    },
    has: (value) => values.has(value),
  };
}
