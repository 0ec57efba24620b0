/** One thing that the doctor has looked at. The text is one line and shows no secret. */
export type Finding = {
  /** `FAIL`: a start would refuse it, or it does not work. `warn`: it works, and something better is at hand. */
  readonly level: 'ok' | 'warn' | 'FAIL';
  /** What it is about, in a word or two. */
  readonly area: string;
  /** What is the case; behind it, unless it is well, what to change. */
  readonly text: string;
};

export function ok(area: string, text: string): Finding {
  return { level: 'ok', area, text };
}

export function warn(area: string, text: string): Finding {
  return { level: 'warn', area, text };
}

export function fail(area: string, text: string): Finding {
  return { level: 'FAIL', area, text };
}

/** The first line of what went wrong. */
export function toReason(error: unknown): string {
  // Several addresses of one host fail together, and their error has no words of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return text.split('\n', 1)[0] ?? '';
}

/** The middle of several measurements, which one slow one does not move. */
export function toMedian(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

export function toShownMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
