/** Making a poll, and where its maker goes then. */
import type { NewPoll, PollCreated } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';
import { toRefusalText, unreachable, type FieldLabels } from '../parts/refusal-text.ts';
import type { Catalogue } from '../texts/en.ts';

/** `refused`: why not, in the words of the page. `code` is the server's, or `unreachable`. */
export type Sent = { readonly manageUrl: string } | { readonly refused: string; readonly code: string };

export async function sendPoll(poll: NewPoll, createKey: string, texts: Catalogue['home']): Promise<Sent> {
  try {
    const response = await fetch('/api/v1/polls', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(createKey === '' ? {} : { 'create-key': createKey }) },
      body: JSON.stringify(poll),
    });
    if (!response.ok) {
      const problem = (await response.json()) as Problem; // A refusal of our own server.
      return { refused: toRefusalText(problem, texts.refusals, toLabels(texts)), code: problem.code };
    }
    const { slug, manageKey } = (await response.json()) as PollCreated & { manageKey: string }; // The same.
    // The key travels in the fragment alone, which browsers keep to themselves.
    return { manageUrl: `/p/${slug}/manage#${manageKey}` };
  } catch {
    // No answer came, or one of something on the way to the server.
    return { refused: texts.refusals.unreachable, code: unreachable };
  }
}

function toLabels(texts: Catalogue['home']): FieldLabels {
  const { question, text, option, who, revote, selections, opens, closes, slug, embed } = texts;
  return {
    question,
    description: text,
    options: option,
    electorate: who,
    revote,
    selections,
    opensAt: opens,
    closesAt: closes,
    slug,
    embedParents: embed,
  };
}
