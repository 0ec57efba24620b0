/** What became of the voter's ballot, in words that say what it means. */
import { useState } from 'preact/hooks';
import { useClockText } from '../parts/clock.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill } from '../texts/wording.ts';
import type { Phase } from './phase.ts';

/** Where a voter stands whose ballot has arrived, in time or not. */
export type Arrived = Extract<Phase, { kind: 'received' | 'counted' | 'duplicate' | 'late' }>;

export type OutcomeProps = {
  readonly phase: Arrived;
  /** Whether the voter may vote anew in the place of this vote. */
  readonly changeable: boolean;
  readonly onChange: () => void;
};

const looks = { received: 'going', counted: 'good', duplicate: 'plain', late: 'plain' } as const;

export function Outcome({ phase, changeable, onChange }: OutcomeProps) {
  const texts = useTexts('vote');
  const standing = phase.kind === 'counted' || phase.kind === 'duplicate' ? phase : null;
  return (
    <section class={`notice ${looks[phase.kind]}`} role="status" tabIndex={-1} id="outcome">
      {phase.kind === 'late' ? <Late lateMs={phase.lateMs} /> : null}
      {phase.kind === 'received' ? <Received ballotId={phase.ballotId} /> : null}
      {standing === null ? null : <Standing phase={standing} />}
      {standing !== null && changeable ? (
        <button type="button" class="button quiet" onClick={onChange}>
          {texts.change}
        </button>
      ) : null}
    </section>
  );
}

/** Accepted, and on its way into the ledger. The page asks how far it is; without a script its reader does. */
function Received({ ballotId }: { readonly ballotId: string }) {
  const texts = useTexts('vote');
  return (
    <>
      <b>{texts.received}</b>
      <p>{texts.receivedHint}</p>
      <ReceiptLine ballotId={ballotId} />
      <noscript>
        <a class="button quiet" href={`?ballot=${ballotId}`}>
          {texts.askAgain}
        </a>
      </noscript>
    </>
  );
}

function Standing({ phase }: { readonly phase: Extract<Arrived, { kind: 'counted' | 'duplicate' }> }) {
  const texts = useTexts('vote');
  const time = useClockText(phase.castAt, 'time');
  const duplicate = time === '' ? texts.duplicateUntimed : fill(texts.duplicate, { time });
  return (
    <>
      <b>{phase.kind === 'counted' ? texts.counted : duplicate}</b>
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
