/** The ledger's clock on a page: every countdown and every "ago" goes by it, not by the phone's. */
import { useEffect, useState } from 'preact/hooks';
import { useSetting } from '../parts/page.tsx';

/** The ledger's time in milliseconds since 1970, renewed every `stepMs`. On the server it is the time of the rendering. */
export function useLedgerNow(stepMs: number): number {
  const { nowMs } = useSetting();
  const [now, setNow] = useState(nowMs);
  useEffect(() => {
    // What the page took to arrive is at most what has passed since the browser asked for it.
    const aheadMs = Date.now() - nowMs - performance.now() / 2;
    const tick = (): void => setNow(Date.now() - aheadMs);
    const timer = setInterval(tick, stepMs);
    return () => clearInterval(timer);
  }, [nowMs, stepMs]);
  return now;
}
