/** What came of the last step, told beside the buttons that it was taken with. */
import { useEffect, useRef } from 'preact/hooks';

export type Said = { readonly words: string; readonly failed: boolean };

export function SaidLine({ said }: { readonly said: Said | null }) {
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    // On a phone the line may come up outside of the window.
    if (said !== null) line.current?.scrollIntoView({ block: 'nearest' });
  }, [said]);
  return (
    <p
      ref={line}
      class={`said notice ${said?.failed === true ? 'bad' : 'good'}`}
      role={said?.failed === true ? 'alert' : 'status'}
      hidden={said === null}
    >
      {said?.words}
    </p>
  );
}
