/** Making a poll, and where its maker goes then. */
import type { NewPoll, PollCreated } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';

/** `code` null: no answer came. */
export type Sent = { readonly manageUrl: string } | { readonly detail: string; readonly code: string | null };

export async function sendPoll(poll: NewPoll, createKey: string): Promise<Sent> {
  try {
    const response = await fetch('/api/v1/polls', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(createKey === '' ? {} : { 'create-key': createKey }) },
      body: JSON.stringify(poll),
    });
    if (!response.ok) {
      const problem = (await response.json()) as Problem; // A refusal of our own server.
      return { detail: toDetail(problem), code: problem.code };
    }
    const { slug, manageKey } = (await response.json()) as PollCreated & { manageKey: string }; // The same.
    // The key travels in the fragment alone, which browsers keep to themselves.
    return { manageUrl: `/p/${slug}/manage#${manageKey}` };
  } catch (error) {
    return { detail: String(error), code: null };
  }
}

/** The refusal with the places that it names. */
function toDetail({ detail, violations = [] }: Problem): string {
  const places = violations.map(
    ({ pointer, rule }) => `${pointer.replace(/^\//u, '').replaceAll('/', ' ')}: ${rule.replaceAll('_', ' ')}`,
  );
  return [detail, ...places].join(' · ');
}
