/** What went wrong, in a corner of the screen. The figures stay where they are. */
import type { Link } from '../live/connection.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';

export type CornerBadgesProps = {
  readonly link: Link;
  /** When something last came from the server; null: never. */
  readonly heardAtMs: number | null;
  /** Opening or closing the poll failed. */
  readonly stepFailed: boolean;
};

export function CornerBadges({ link, heardAtMs, stepFailed }: CornerBadgesProps) {
  const texts = useTexts('present');
  return (
    <header class="corner">
      {link === 'lost' ? <LostBadge heardAtMs={heardAtMs} /> : null}
      <span role="alert">{stepFailed ? <span class="badge">{texts.stepFailed}</span> : null}</span>
    </header>
  );
}

function LostBadge({ heardAtMs }: { readonly heardAtMs: number | null }) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const time = heardAtMs === null ? null : new Date(heardAtMs).toLocaleTimeString(language, { hour12: false });
  return <span class="badge num">{time === null ? texts.lostEarly : fill(texts.lost, { time })}</span>;
}
