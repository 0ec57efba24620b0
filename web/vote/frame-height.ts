/** A page in another site's frame tells that page how high it is, so that the frame can fit. */
import { useEffect } from 'preact/hooks';

export function useFrameHeight(embedded: boolean): void {
  useEffect(() => {
    if (!embedded || globalThis.parent === globalThis.window) return undefined;
    const observer = new ResizeObserver(() => {
      // The height is no secret, and only the page around knows who it is.
      globalThis.parent.postMessage({ type: 'hustings-height', height: document.documentElement.scrollHeight }, '*');
    });
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [embedded]);
}
