/** The system's clock with the fraction of a millisecond that Date.now() leaves out. */

const driftMsMax = 2;

/** Milliseconds since 1970. Follows the system's clock when that is set, so it may step back as that does. */
export function createPreciseNow(): () => number {
  let offset = performance.timeOrigin;
  return () => {
    const fine = performance.now();
    const coarse = Date.now();
    if (Math.abs(offset + fine - coarse) > driftMsMax) offset = coarse - fine;
    return offset + fine;
  };
}
