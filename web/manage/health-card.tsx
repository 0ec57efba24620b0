/** How the poll is doing: what was taken, what was refused, what waits. Asked for every few seconds while somebody looks. */
import { useEffect, useState } from 'preact/hooks';
import type { PollHealth } from '../../protocol/poll.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { toNumberText } from '../texts/wording.ts';
import type { Manager } from './manager.ts';

const askMs = 5_000;

export function HealthCard({ manager, accepted }: { readonly manager: Manager; readonly accepted: number }) {
  const texts = useTexts('manage');
  const { language } = useSetting();
  const [health, setHealth] = useState<PollHealth | null>(null);
  useEffect(() => {
    async function ask(): Promise<void> {
      if (document.visibilityState !== 'visible') return;
      const answer = await manager.health();
      if ('value' in answer) setHealth(answer.value);
    }
    void ask();
    const timer = setInterval(() => void ask(), askMs);
    return () => clearInterval(timer);
  }, [manager]);
  const rows = [
    [texts.accepted, Math.max(accepted, health?.accepted ?? 0)],
    [texts.duplicates, health?.duplicatesRefused],
    [texts.late, health?.late],
    [texts.waiting, health?.waiting],
    // Without a broker nothing lags behind.
    ...(health === null || health.lagMs === 0 ? [] : [[texts.lag, Math.ceil(health.lagMs / 1_000)] as const]),
  ] as const;
  return (
    <section class="card panel" aria-labelledby="health">
      <h2 id="health">{texts.health}</h2>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="num">{value === undefined ? '–' : toNumberText(value, language)}</dd>
          </div>
        ))}
      </dl>
      <p class="small muted">{texts.healthHint}</p>
    </section>
  );
}
