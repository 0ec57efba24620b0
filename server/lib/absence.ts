/** Since when something does not answer, as those see it who use it. */

export type Absence = {
  /** It did not answer. Its absence began with the first such failure. */
  begin(): void;
  /** It answered. */
  end(): void;
  /** For how long it has been away, in milliseconds; 0 while it is there. */
  ms(): number;
};

export function createAbsence(): Absence {
  let since: number | null = null;
  return {
    begin() {
      since ??= performance.now();
    },
    end() {
      since = null;
    },
    ms: () => (since === null ? 0 : performance.now() - since),
  };
}
