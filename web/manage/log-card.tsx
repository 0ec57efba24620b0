/** What was done to the poll, newest first. */
import { useEffect, useState } from 'preact/hooks';
import { toClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import type { Manager, PollEvent } from './manager.ts';

const eventsShownMax = 20;

export function LogCard({ manager, revision }: { readonly manager: Manager; readonly revision: number }) {
  const texts = useTexts('manage');
  const { language } = useSetting();
  const [events, setEvents] = useState<readonly PollEvent[]>([]);
  useEffect(() => {
    void manager.log().then((answer) => {
      if ('value' in answer) setEvents(answer.value.events);
    });
  }, [manager, revision]);
  const names: Readonly<Record<string, string>> = texts.event;
  return (
    <details class="card panel">
      <summary>{texts.log}</summary>
      <ol class="log">
        {events
          .slice(-eventsShownMax)
          .toReversed()
          .map(({ at, event }) => (
            <li key={`${at} ${event}`}>
              <span class="num muted">{toClockText(at, language, 'moment')}</span> {names[event] ?? event}
            </li>
          ))}
      </ol>
    </details>
  );
}
