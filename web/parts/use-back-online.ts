/** What a page does once its browser has the network again, such as taking back that there is none. */
import { useEffect } from 'preact/hooks';

export function useBackOnline(onBack: () => void): void {
  useEffect(() => {
    addEventListener('online', onBack);
    return () => removeEventListener('online', onBack);
  });
}
