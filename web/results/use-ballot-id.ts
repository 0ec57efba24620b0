/** The receipt that shows results which show after voting: the address may name it. */
import { useEffect, useState } from 'preact/hooks';

export function useBallotId(pollId: string): string | null {
  const [ballotId, setBallotId] = useState<string | null>(null);
  useEffect(() => setBallotId(new URLSearchParams(location.search).get('ballot')), [pollId]);
  return ballotId;
}
