/** Managers who make polls and change them without pause, so that faults strike their transactions as well. */
import { send, type TestPoll } from '../support/http.ts';

export type Managers = {
  /** The last question of each poll that a manager was told of, by the poll's id. */
  readonly questions: ReadonlyMap<string, string>;
  stop(): Promise<void>;
};

const breathMs = 10;

export function startManagers(url: string, count: number): Managers {
  const questions = new Map<string, string>();
  let stopped = false;

  async function manage(managerNo: number): Promise<void> {
    for (let pollNo = 1; !stopped; pollNo += 1) {
      const question = `Question ${managerNo}.${pollNo}`;
      const body = { question, options: ['Yes', 'No'], listed: false };
      const made = await ask('POST', `${url}/api/v1/polls`, body);
      if (made === null) continue;
      const { id, manageKey } = made as TestPoll; // The shape is what the tests of the API check.
      questions.set(id, question);
      const better = `${question}, better`;
      const changed = await ask(
        'PATCH',
        `${url}/api/v1/polls/${id}`,
        { question: better },
        { 'manage-key': manageKey },
      );
      // In doubt, the one question may stand as well as the other.
      if (changed === null) questions.delete(id);
      else questions.set(id, better);
    }
  }

  const managers = Array.from({ length: count }, (_, index) => manage(index + 1));
  return {
    questions,
    async stop() {
      stopped = true;
      await Promise.all(managers);
    },
  };
}

/** null where there was no answer or no success. */
async function ask(method: string, url: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await send(method, url, body, headers).catch(() => null);
  if (answer !== null && answer.status < 300) return answer.json;
  await new Promise((resolve) => setTimeout(resolve, breathMs));
  return null;
}
