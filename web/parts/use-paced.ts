/** Values that change often, shown at a calmer pace. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** Whether the reader has asked for less motion. False until the page is alive. */
export function useCalm(): boolean {
  const [calm, setCalm] = useState(false);
  useEffect(() => {
    const query = matchMedia('(prefers-reduced-motion: reduce)');
    const listen = (): void => setCalm(query.matches);
    listen();
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  return calm;
}

/** The value, renewed at most every `stepMs`; the last one is always shown in the end. 0: at once. */
export function usePaced<Value>(value: Value, stepMs: number): Value {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  latest.current = value;
  useEffect(() => {
    if (stepMs === 0 || timer.current !== null || Object.is(shown, value)) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      setShown(latest.current);
    }, stepMs);
  }, [value, stepMs, shown]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  return stepMs === 0 ? value : shown;
}
