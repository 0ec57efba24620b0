/** What a page on a projector asks of the browser: to stay lit, to fill the screen, and to know when nobody touches it. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** Keeps the screen lit while the page is visible. Browsers without the feature, or short of battery, do as they like. */
export function useWakeLock(): void {
  useEffect(() => {
    const ended = new AbortController();
    let lock: Promise<WakeLockSentinel | null> = Promise.resolve(null);
    function take(): void {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      lock = navigator.wakeLock.request('screen').catch(() => null);
    }
    take();
    // A lock ends by itself when the page is hidden.
    document.addEventListener('visibilitychange', take, { signal: ended.signal });
    return () => {
      ended.abort();
      void lock.then((sentinel) => sentinel?.release());
    };
  }, []);
}

export type FullScreen = { readonly possible: boolean; readonly on: boolean };

export function useFullScreen(): FullScreen {
  const [fullScreen, setFullScreen] = useState<FullScreen>({ possible: false, on: false });
  useEffect(() => {
    const ended = new AbortController();
    const look = (): void =>
      setFullScreen({ possible: document.fullscreenEnabled, on: document.fullscreenElement !== null });
    look();
    document.addEventListener('fullscreenchange', look, { signal: ended.signal });
    return () => ended.abort();
  }, []);
  return fullScreen;
}

/** A refusal, by a browser that takes keys of a remote for no gesture of a person, leaves the page as it was. */
export function toggleFullScreen(): void {
  const { documentElement, fullscreenElement } = document;
  const toggled = fullscreenElement === null ? documentElement.requestFullscreen() : document.exitFullscreen();
  toggled.catch(() => undefined);
}

const inputs = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'] as const;

/** Whether nobody has touched mouse, keyboard or screen for so long. Milliseconds. */
export function useIdle(afterMs: number): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    const ended = new AbortController();
    let timer = setTimeout(() => setIdle(true), afterMs);
    function wake(): void {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), afterMs);
    }
    for (const input of inputs) document.addEventListener(input, wake, { signal: ended.signal, passive: true });
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [afterMs]);
  return idle;
}

/** Whether the person asked their system for less motion; false on the server. */
export function useCalm(): boolean {
  const [calm, setCalm] = useState(false);
  useEffect(() => {
    const query = matchMedia('(prefers-reduced-motion: reduce)');
    const ended = new AbortController();
    const look = (): void => setCalm(query.matches);
    look();
    query.addEventListener('change', look, { signal: ended.signal });
    return () => ended.abort();
  }, []);
  return calm;
}

/** The value, renewed at most once in `stepMs`; at once where that is 0. The last one is never lost. */
export function usePaced<Value>(value: Value, stepMs: number): Value {
  const [paced, setPaced] = useState(value);
  const renewedAtMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (stepMs === 0) return undefined;
    const waitMs = Math.max(0, renewedAtMs.current + stepMs - performance.now());
    const timer = setTimeout(() => {
      renewedAtMs.current = performance.now();
      setPaced(value);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [value, stepMs]);
  return stepMs === 0 ? value : paced;
}
