/** What became of the voter's ballot, in words that say what it means. */
import { useState } from 'preact/hooks';
import { useClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill } from '../texts/wording.ts';
import type { Phase } from './phase.ts';

type Ended = Extract<Phase, { kind: 'counted' | 'duplicate' | 'late' }>;

export type OutcomeProps = {
  readonly phase: Ended;
  /** Whether the voter may vote anew in the place of this vote. */
  readonly changeable: boolean;
  readonly onChange: () => void;
};

export function Outcome({ phase, changeable, onChange }: OutcomeProps) {
  const texts = useTexts('vote');
  return (
    <section class={`notice ${phase.kind === 'counted' ? 'good' : 'plain'}`} role="status" tabIndex={-1} id="outcome">
      {phase.kind === 'late' ? <Late lateMs={phase.lateMs} /> : <Standing phase={phase} />}
      {phase.kind !== 'late' && changeable ? (
        <button type="button" class="button quiet" onClick={onChange}>
          {texts.change}
        </button>
      ) : null}
    </section>
  );
}

function Standing({ phase }: { readonly phase: Extract<Ended, { kind: 'counted' | 'duplicate' }> }) {
  const texts = useTexts('vote');
  const time = useClockText(phase.castAt, 'time');
  return (
    <>
      <b>{phase.kind === 'counted' ? texts.counted : fill(texts.duplicate, { time })}</b>
      <p>{phase.kind === 'counted' ? fill(texts.countedAt, { time }) : texts.duplicateHint}</p>
      {phase.ballotId === '' ? null : <ReceiptLine ballotId={phase.ballotId} />}
    </>
  );
}

/** The first characters of the receipt, to be compared, and the whole of it as a link. */
function ReceiptLine({ ballotId }: { readonly ballotId: string }) {
  const texts = useTexts('vote');
  const { publicUrl } = useSetting();
  const [copied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    // Browsers let pages write to the clipboard only over HTTPS; the link beside it serves everybody.
    await navigator.clipboard?.writeText(`${publicUrl}/r/${ballotId}`);
    setCopied(navigator.clipboard !== undefined);
  }
  return (
    <p class="receipt">
      <span class="muted">{texts.receipt}</span> <code>{toShortCode(ballotId)}</code>
      <a href={`/r/${ballotId}`}>{texts.receiptLink}</a>
      <button type="button" class="link" onClick={() => void copy()}>
        {copied ? texts.copied : texts.copy}
      </button>
    </p>
  );
}

/** The end of the id: its beginning is the time, which all ballots of a moment share. */
export function toShortCode(ballotId: string): string {
  const end = ballotId.replaceAll('-', '').slice(-8).toUpperCase();
  return `${end.slice(0, 4)} ${end.slice(4)}`;
}

function Late({ lateMs }: { readonly lateMs: number | null }) {
  const texts = useTexts('vote');
  const { language } = useSetting();
  if (lateMs === null) return <b>{texts.lateUnknown}</b>;
  const seconds = Math.max(1, Math.round(lateMs / 1_000));
  const minutes = Math.round(seconds / 60);
  const time =
    seconds < 120
      ? counted(texts.seconds, seconds, language)
      : minutes < 120
        ? counted(texts.minutes, minutes, language)
        : counted(texts.hours, Math.round(minutes / 60), language);
  return <b>{fill(texts.late, { time })}</b>;
}
