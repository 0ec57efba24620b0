/** Clients that vote without pause, mostly well, sometimes twice, sometimes the same again, and write down what they saw. */
import type { Operation } from './checker.ts';

export type CrashPoll = { readonly id: string; readonly slug: string; readonly policy: Operation['policy'] };

export type Clients = {
  readonly operations: Operation[];
  underWay(): number;
  acknowledged(): number;
  /** Lets every client finish its request, and ends. */
  stop(): Promise<void>;
};

type Cast = Pick<Operation, 'poll' | 'policy' | 'user' | 'key' | 'option'> & { readonly pollId: string };

const requestMsMax = 15_000;

export function startClients(url: string, polls: readonly CrashPoll[], count: number, random: () => number): Clients {
  const operations: Operation[] = [];
  const recent: Cast[] = [];
  let underWay = 0;
  let acknowledged = 0;
  let castCount = 0;
  let stopped = false;

  function nextCast(): Cast {
    const earlier = recent[Math.floor(random() * recent.length)];
    const roll = random();
    if (earlier !== undefined && roll < 0.1) return earlier;
    castCount += 1;
    const key = `key-${castCount}`;
    const option = String(1 + Math.floor(random() * 2));
    if (earlier !== undefined && roll < 0.2) return { ...earlier, key, option };
    const poll = polls[Math.floor(random() * polls.length)];
    if (poll === undefined) throw new Error('There is no poll to vote on.');
    const cast = { poll: poll.slug, pollId: poll.id, policy: poll.policy, user: `user-${castCount}`, key, option };
    recent[castCount % 200] = cast;
    return cast;
  }

  async function client(): Promise<void> {
    while (!stopped) {
      const cast = nextCast();
      underWay += 1;
      const operation = await sendCast(url, cast);
      underWay -= 1;
      operations.push(operation);
      if (operation.outcome === 'ok') acknowledged += 1;
      // A server that is away refuses at once: without a breath the clients would only spin.
      else if (operation.outcome === 'unknown') await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const clients = Array.from({ length: count }, client);
  return {
    operations,
    underWay: () => underWay,
    acknowledged: () => acknowledged,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

/** Sends one ballot, once. */
export async function sendCast(url: string, { pollId, ...cast }: Cast): Promise<Operation> {
  try {
    const response = await fetch(`${url}/api/v1/polls/${pollId}/ballots`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': cast.key },
      body: JSON.stringify({ selections: [cast.option], ...(cast.policy === 'open' ? {} : { userId: cast.user }) }),
      signal: AbortSignal.timeout(requestMsMax),
    });
    const text = await response.text();
    if (response.status === 201) return { ...cast, outcome: 'ok', receipt: text };
    const { recorded } = JSON.parse(text) as { recorded?: string }; // The server's own problem body, or no JSON at all.
    return { ...cast, outcome: recorded === 'no' ? 'fail' : 'unknown', receipt: null };
  } catch {
    // Whatever broke on the way: the client does not know.
    return { ...cast, outcome: 'unknown', receipt: null };
  }
}

export type { Cast };
