/** How to take part: the code to scan, the address and the code to type; and how many did. */
import type { Poll } from '../../protocol/poll.ts';
import { useLedgerNow } from '../live/use-ledger-now.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill, toNumberText } from '../texts/wording.ts';
import { toTextSize } from './arrangement.ts';
import { finalSecondsOf } from './stage.ts';

const tickMs = 200;

/** Where to type the code, without what nobody types. */
export function useJoinAddress(): string {
  const { publicUrl } = useSetting();
  return `${publicUrl.replace(/^https?:\/\//u, '')}/j`;
}

/** `K7R 4MX`: two groups are read out and typed with fewer mistakes. */
export function toSpacedCode(joinCode: string): string {
  const half = Math.ceil(joinCode.length / 2);
  return `${joinCode.slice(0, half)} ${joinCode.slice(half)}`;
}

/** The code on white; in the last ten seconds, when nobody gets there in time any more, the seconds that are left. */
export function CodeTile({ poll }: { readonly poll: Poll }) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const address = `${useJoinAddress()}/${poll.joinCode}`;
  const seconds = finalSecondsOf(poll, useLedgerNow(tickMs));
  if (seconds === null) {
    return (
      <img
        class="qr"
        src={`/p/${encodeURIComponent(poll.slug)}/qr.svg`}
        alt={fill(texts.qr, { address })}
        width="400"
        height="400"
      />
    );
  }
  return (
    <div class="final" role="timer">
      <span class="seconds num">{seconds}</span>
      <span>{counted(texts.secondsLeft, seconds, language)}</span>
    </div>
  );
}

export function JoinWords({ joinCode }: { readonly joinCode: string }) {
  const address = useJoinAddress();
  return (
    <p class="join-words">
      <span class={`address ${toTextSize(address, [18, 26, 40])}`}>{address}</span>
      <strong class="code">{toSpacedCode(joinCode)}</strong>
    </p>
  );
}

type TurnoutProps = {
  /** null: not for this viewer, or shown large elsewhere. */
  readonly total: number | null;
  readonly online: number | null;
};

export function Turnout({ total, online }: TurnoutProps) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const here = online === null ? null : fill(texts.here, { count: toNumberText(online, language) });
  if (total === null) return <p class="turnout">{here}</p>;
  const words = counted(texts.total, total, language);
  return (
    <p class="turnout">
      <BigNumber value={total} />
      <span>{here === null ? words : fill(texts.totalAndHere, { total: words, here })}</span>
    </p>
  );
}

export function BigNumber({ value }: { readonly value: number }) {
  const text = toNumberText(value, useSetting().language);
  return <strong class={`big num ${toTextSize(text, [5, 7, 10])}`}>{text}</strong>;
}
