/** By what a voter is known: a name or a token, typed into the page or brought along by a link. */
import { useEffect, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import type { BallotToCast } from './cast.ts';

export type VoterFields = {
  readonly userId: string;
  setUserId(userId: string): void;
  readonly token: string;
  setToken(token: string): void;
};

const tokenInFragment = /^#token=([\w.-]+)$/u;

/**
 * A token is kept nowhere: whoever holds it is its voter. The link of an organiser's site may carry it as `#token=…`, which browsers do
 * not send and this takes out of the address at once.
 */
export function useVoterFields({ electorate }: Pick<Poll, 'electorate'>, firstUserId: string): VoterFields {
  const [userId, setUserId] = useState(firstUserId);
  const [token, setToken] = useState('');
  useEffect(() => {
    const brought = tokenInFragment.exec(location.hash)?.[1];
    if (electorate !== 'token' || brought === undefined) return;
    setToken(brought);
    history.replaceState(history.state, '', location.pathname + location.search);
  }, []);
  // Copied text often comes with line breaks, and no token has any.
  return { userId, setUserId, token, setToken: (text) => setToken(text.replaceAll(/\s/gu, '')) };
}

/** What a ballot says about its voter, as its poll asks for it. */
export function credentialOf(
  { electorate }: Pick<Poll, 'electorate'>,
  { userId, token }: VoterFields,
): Pick<BallotToCast, 'userId' | 'token'> {
  return { userId: electorate === 'declared' ? userId : null, token: electorate === 'token' ? token : null };
}
