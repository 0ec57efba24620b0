/** The ledger's clock on a page: every countdown and every "ago" goes by it, not by the phone's. */
import { useEffect, useState } from 'preact/hooks';
import { useSetting } from '../parts/page.tsx';
import { readLedgerNow } from './ledger-clock.ts';

/** The ledger's time in milliseconds since 1970, renewed every `stepMs`. On the server it is the time of the rendering. */
export function useLedgerNow(stepMs: number): number {
  const { nowMs } = useSetting();
  const [now, setNow] = useState(nowMs);
  useEffect(() => {
    const tick = (): void => setNow(readLedgerNow(nowMs));
    // What appears on a page that is no longer new shows its time at once.
    tick();
    const timer = setInterval(tick, stepMs);
    return () => clearInterval(timer);
  }, [nowMs, stepMs]);
  return now;
}
