/** What the manage page asks of the server. Each answer is a value, or the words in which the server refused. */
import type { Poll, PollEdit, PollHealth } from '../../protocol/poll.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { Tally } from '../../protocol/tally.ts';

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

export function createManager(pollId: string): Manager {
  const base = `/api/v1/polls/${pollId}`;

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
      const { detail, code } = answer as Problem; // The same.
      return { refused: detail, code };
    } catch (error) {
      return { refused: String(error), code: 'unreachable' };
    }
  }

  return {
    unlock: (key) => ask('POST', '/manage-session', undefined, { 'manage-key': key }),
    tally: () => ask('GET', '/tally'),
    step: (name) => ask('POST', `/${name}`, {}),
    extend: (minutes) => ask('POST', '/extend', { minutes }),
    edit: (edit) => ask('PATCH', '', edit),
    setLogo: (picture) => (picture === null ? ask('DELETE', '/logo') : ask('PUT', '/logo', picture)),
    remove: (question) => ask('DELETE', '', { question }),
    health: () => ask('GET', '/health'),
    log: () => ask('GET', '/log'),
    poll: () => ask('GET', ''),
  };
}

/** The key in a manage link, or the key itself; null where there is none. */
export function findManageKey(text: string): string | null {
  return /manage_[\w-]{20,}/u.exec(text)?.[0] ?? null;
}
