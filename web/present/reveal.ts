/** The revealing of a result: one bar after another, the last place first and the first place last, with a pause before it. */

const beginMs = 500;
const suspenseMs = 1_400;
const applauseMs = 1_100;
const allStepsMs = 5_000;
const stepMsMin = 280;
const stepMsMax = 650;

/** How long to wait for the next row after `revealed` of `rowCount` are on the screen; after the last one, until the outcome stands. */
export function toRevealPauseMs(revealed: number, rowCount: number): number {
  if (revealed >= rowCount) return applauseMs;
  if (revealed === rowCount - 1) return suspenseMs;
  return revealed === 0 ? beginMs : Math.min(stepMsMax, Math.max(stepMsMin, allStepsMs / rowCount));
}
