/** Making a poll, and where its maker goes then. */
import type { NewPoll, PollCreated } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';

export type Sent = { readonly manageUrl: string } | { readonly detail: string };

export async function sendPoll(poll: NewPoll, createKey: string): Promise<Sent> {
  try {
    const response = await fetch('/api/v1/polls', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(createKey === '' ? {} : { 'create-key': createKey }) },
      body: JSON.stringify(poll),
    });
    if (!response.ok) return { detail: toDetail((await response.json()) as Problem) }; // Refusals of our own server.
    const { slug, manageKey } = (await response.json()) as PollCreated & { manageKey: string }; // The same.
    // The key travels in the fragment alone, which browsers keep to themselves.
    return { manageUrl: `/p/${slug}/manage#${manageKey}` };
  } catch (error) {
    return { detail: String(error) };
  }
}

/** The refusal with the places that it names. */
function toDetail({ detail, violations = [] }: Problem): string {
  const places = violations.map(
    ({ pointer, rule }) => `${pointer.replace(/^\//u, '').replaceAll('/', ' ')}: ${rule.replaceAll('_', ' ')}`,
  );
  return [detail, ...places].join(' · ');
}
