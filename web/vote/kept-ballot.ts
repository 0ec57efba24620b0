/**
 * What this browser keeps of a vote, so that a reload, a dead phone or a tunnel loses nothing: the choice, the key under which it
 * was or will be sent, and how far it is. It stays on the device.
 */

export type KeptBallot = {
  readonly key: string;
  readonly selections: readonly string[];
  readonly userId: string | null;
  /** `sending`: to be sent again until it is accepted. `received`: it is, and not to be sent again; its outcome is to be asked for. */
  readonly state: 'choosing' | 'sending' | 'received' | 'counted';
  /** Of an accepted ballot whose outcome came later. */
  readonly ballotId?: string;
};

const prefix = 'hustings.vote.';

export function readKept(pollId: string): KeptBallot | null {
  try {
    return parseKept(localStorage.getItem(prefix + pollId));
  } catch {
    // Without storage, by the browser's settings, nothing is kept.
    return null;
  }
}

export function keep(pollId: string, kept: KeptBallot): void {
  try {
    localStorage.setItem(prefix + pollId, JSON.stringify(kept));
  } catch {
    // The same, or the storage is full: the vote goes on without it.
  }
}

/** The outcome of an accepted ballot. One that was sent as a form is not among what this browser keeps. */
export function keepOutcome(pollId: string, ballotId: string, isCounted: boolean): void {
  const kept = readKept(pollId);
  if (kept?.ballotId === ballotId) keep(pollId, { ...kept, state: isCounted ? 'counted' : 'choosing' });
}

/** Calls back when another tab of this browser has changed what is kept for the poll. Answers how to stop. */
export function watchKept(pollId: string, onChange: (kept: KeptBallot | null) => void): () => void {
  const listen = ({ key, newValue }: StorageEvent): void => {
    if (key === prefix + pollId) onChange(parseKept(newValue));
  };
  globalThis.addEventListener('storage', listen);
  return () => globalThis.removeEventListener('storage', listen);
}

function parseKept(text: string | null): KeptBallot | null {
  const kept: unknown = text === null ? null : JSON.parse(text);
  const isOurs = typeof kept === 'object' && kept !== null && 'key' in kept && 'selections' in kept && 'state' in kept;
  return isOurs ? (kept as KeptBallot) : null; // Only this file writes under this name.
}
