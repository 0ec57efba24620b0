/** The polls that were managed in this browser, for the presenter to step through. Names and addresses only: no key is kept. */
import type { Poll } from '../../protocol/poll.ts';

export type ManagedPoll = Pick<Poll, 'slug' | 'question' | 'id'>;

const name = 'hustings.managed';
const pollsMax = 50;
/** Where the manage page leaves a poll that is to be written anew. */
export const duplicateName = 'hustings.duplicate';

export function readManaged(): ManagedPoll[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(name) ?? '[]');
    return Array.isArray(list) ? (list as ManagedPoll[]) : []; // Only this file writes under this name.
  } catch {
    // Without storage, by the browser's settings, none is remembered.
    return [];
  }
}

export function rememberManaged({ slug, question, id }: ManagedPoll): void {
  write([...readManaged().filter((poll) => poll.id !== id), { slug, question, id }].slice(-pollsMax));
}

export function forgetManaged(pollId: string): void {
  write(readManaged().filter(({ id }) => id !== pollId));
}

function write(polls: readonly ManagedPoll[]): void {
  try {
    localStorage.setItem(name, JSON.stringify(polls));
  } catch {
    // The same.
  }
}
