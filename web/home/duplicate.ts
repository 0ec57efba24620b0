/** A poll that is to be written anew: the manage page leaves it for the home page of the same tab. */
import type { Poll } from '../../protocol/poll.ts';
import { duplicateName } from '../parts/managed-polls.ts';
import { toDraft, type Draft } from './draft.ts';

/** The draft that was left, once; null where none was. */
export function takeDuplicate(): Draft | null {
  try {
    const text = sessionStorage.getItem(duplicateName);
    sessionStorage.removeItem(duplicateName);
    return text === null ? null : toDraft(JSON.parse(text) as Poll); // Only the manage page writes it.
  } catch {
    // Without storage there is nothing to take.
    return null;
  }
}
