/** What became of the voter's ballot, in words that say what it means. */
import { useEffect, useRef, useState } from 'preact/hooks';
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
  readonly embedded: boolean;
  /** When the poll closed or closes, as far as the page knows. */
  readonly closesAt: string | null;
  readonly onChange: () => void;
};

const looks = { received: 'going', counted: 'good', duplicate: 'plain', late: 'plain' } as const;

export function Outcome({ phase, changeable, embedded, closesAt, onChange }: OutcomeProps) {
  const section = useRef<HTMLElement>(null);
  // Whoever has just voted is told so, wherever they had scrolled to.
  useEffect(() => section.current?.focus(), []);
  const standing = phase.kind === 'counted' || phase.kind === 'duplicate' ? phase : null;
  return (
    <section class={`notice ${looks[phase.kind]}`} role="status" tabIndex={-1} id="outcome" ref={section}>
      {phase.kind === 'late' ? <Late lateMs={toLateMs(phase, closesAt)} /> : null}
      {phase.kind === 'received' ? <Received ballotId={phase.ballotId} embedded={embedded} /> : null}
      {standing === null ? null : <Standing phase={standing} embedded={embedded} />}
      {standing !== null && changeable ? <ChangeForm ballotId={standing.ballotId} onChange={onChange} /> : null}
    </section>
  );
}

/** Without a script it asks for the same page with the form. */
function ChangeForm({ ballotId, onChange }: { readonly ballotId: string; readonly onChange: () => void }) {
  const texts = useTexts('vote');
  return (
    <form
      method="get"
      onSubmit={(event) => {
        event.preventDefault();
        onChange();
      }}
    >
      <input type="hidden" name="ballot" value={ballotId} />
      <button class="button quiet" name="change" value="1">
        {texts.change}
      </button>
    </form>
  );
}

type OfBallot = { readonly ballotId: string; readonly embedded: boolean };

/** Accepted, and on its way into the ledger. The page asks how far it is; without a script its reader does. */
function Received({ ballotId, embedded }: OfBallot) {
  const texts = useTexts('vote');
  return (
    <>
      <b>{texts.received}</b>
      <p>{texts.receivedHint}</p>
      <ReceiptLine ballotId={ballotId} embedded={embedded} />
      <noscript>
        <a class="button quiet" href={`?ballot=${ballotId}`}>
          {texts.askAgain}
        </a>
      </noscript>
    </>
  );
}

type StandingProps = Pick<OfBallot, 'embedded'> & {
  readonly phase: Extract<Arrived, { kind: 'counted' | 'duplicate' }>;
};

function Standing({ phase, embedded }: StandingProps) {
  const texts = useTexts('vote');
  const time = useClockText(phase.castAt, 'time');
  const duplicate = time === '' ? texts.duplicateUntimed : fill(texts.duplicate, { time });
  return (
    <>
      <b>{phase.kind === 'counted' ? texts.counted : duplicate}</b>
      <p>{phase.kind === 'counted' ? fill(texts.countedAt, { time }) : texts.duplicateHint}</p>
      {phase.ballotId === '' ? null : <ReceiptLine ballotId={phase.ballotId} embedded={embedded} />}
    </>
  );
}

/** The first characters of the receipt, to be compared, and the whole of it as a link. */
function ReceiptLine({ ballotId, embedded }: OfBallot) {
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
      {/* No frame of another site may show the receipt. */}
      <a href={`/r/${ballotId}`} {...(embedded ? { target: '_blank', rel: 'noopener' } : {})}>
        {texts.receiptLink}
      </a>
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

function toLateMs({ atMs }: Extract<Arrived, { kind: 'late' }>, closesAt: string | null): number | null {
  return atMs === null || closesAt === null ? null : Math.max(0, atMs - Date.parse(closesAt));
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
