/** Chance that can be had again: the same seed, the same draws. */

/** mulberry32: small, seeded, good enough to mix requests. From 0 to below 1. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** A new one for each run, unless the environment names one to repeat. */
export function pickSeed(): number {
  return Number(process.env['HUSTINGS_CRASH_SEED'] ?? Date.now() % 1_000_000);
}
