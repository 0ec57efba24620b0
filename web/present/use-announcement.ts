/** What is said to screen readers: politely, at most every ten seconds, and at once when something new begins. */
import { useEffect, useRef, useState } from 'preact/hooks';

const gapMs = 10_000;

/** `chapter`: a text of another chapter does not wait for its turn. Empty on the server, so that the first one is heard too. */
export function useAnnouncement(text: string, chapter: string): string {
  const [said, setSaid] = useState('');
  const last = useRef({ chapter: '', atMs: Number.NEGATIVE_INFINITY });
  useEffect(() => {
    const waitMs = last.current.chapter === chapter ? last.current.atMs + gapMs - performance.now() : 0;
    const timer = setTimeout(
      () => {
        last.current = { chapter, atMs: performance.now() };
        setSaid(text);
      },
      Math.max(0, waitMs),
    );
    return () => clearTimeout(timer);
  }, [text, chapter]);
  return said;
}
