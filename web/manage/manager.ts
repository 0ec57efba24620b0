/** What the manage page asks of the server. Each answer is a value, or says in the words of the page why there is none. */
import type { Poll, PollEdit, PollHealth } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { Tally } from '../../protocol/tally.ts';
import { toRefusalText, unreachable, type FieldLabels } from '../parts/refusal-text.ts';
import type { Catalogue } from '../texts/en.ts';

/** `code` is the server's, or `unreachable`. */
export type Answer<Value> = { readonly value: Value } | { readonly refused: string; readonly code: string };

/** Waits for what was begun and says in words what came of it. */
export type Take = (work: Promise<Answer<Poll>>, done: string) => Promise<void>;

export type PollEvent = { readonly at: string; readonly event: string };

export type Manager = {
  /** Exchanges the key for a cookie. */
  unlock(key: string): Promise<Answer<null>>;
  tally(): Promise<Answer<Tally>>;
  step(name: 'open' | 'pause' | 'close' | 'reopen'): Promise<Answer<Poll>>;
  extend(minutes: number): Promise<Answer<Poll>>;
  edit(edit: PollEdit): Promise<Answer<Poll>>;
  setLogo(picture: Blob | null): Promise<Answer<Poll>>;
  remove(question: string): Promise<Answer<null>>;
  health(): Promise<Answer<PollHealth>>;
  log(): Promise<Answer<{ readonly events: readonly PollEvent[] }>>;
  poll(): Promise<Answer<Poll>>;
};

export function createManager(pollId: string, texts: Catalogue['manage']): Manager {
  const base = `/api/v1/polls/${pollId}`;
  const labels = toLabels(texts);

  async function ask<Value>(
    method: string,
    path: string,
    body?: object | Blob,
    headers: Record<string, string> = {},
  ): Promise<Answer<Value>> {
    const json = body !== undefined && !(body instanceof Blob);
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
        ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body }),
      });
      const answer: unknown = response.status === 204 ? null : await response.json();
      if (response.ok) return { value: answer as Value }; // The shapes of our own server.
      const problem = answer as Problem; // The same.
      return { refused: toRefusalText(problem, texts.refusals, labels), code: problem.code };
    } catch {
      // No answer came, or one of something on the way to the server.
      return { refused: texts.refusals.unreachable, code: unreachable };
    }
  }

  async function putLogo(picture: Blob): Promise<Answer<Poll>> {
    const answer = await ask<Poll>('PUT', '/logo', picture);
    if ('value' in answer) return answer;
    const { pictureTooLarge, pictureKind } = texts.refusals;
    if (answer.code === 'body_too_large') return { ...answer, refused: pictureTooLarge };
    return answer.code === 'media_type_unsupported' ? { ...answer, refused: pictureKind } : answer;
  }

  return {
    unlock: (key) => ask('POST', '/manage-session', undefined, { 'manage-key': key }),
    tally: () => ask('GET', '/tally'),
    step: (name) => ask('POST', `/${name}`, {}),
    extend: (minutes) => ask('POST', '/extend', { minutes }),
    edit: (edit) => ask('PATCH', '', edit),
    setLogo: (picture) => (picture === null ? ask('DELETE', '/logo') : putLogo(picture)),
    remove: (question) => ask('DELETE', '', { question }),
    health: () => ask('GET', '/health'),
    log: () => ask('GET', '/log'),
    poll: () => ask('GET', ''),
  };
}

function toLabels(texts: Catalogue['manage']): FieldLabels {
  const { question, text, options, embedParents } = texts;
  return { question, description: text, options, embedParents };
}

/** The key in a manage link, or the key itself; null where there is none. */
export function findManageKey(text: string): string | null {
  return /manage_[\w-]{20,}/u.exec(text)?.[0] ?? null;
}
