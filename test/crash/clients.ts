/** Clients that vote without pause, mostly well, sometimes twice, sometimes the same again, and write down what they do and see. */
import type { Cast, Ended, Entry, Receipt } from './history.ts';

export type CrashPoll = Pick<Cast, 'poll' | 'policy' | 'door'> & {
  readonly id: string;
  readonly options: readonly string[];
  /** How much of the traffic it gets, against the others. */
  readonly weight: number;
};

export type Clients = {
  readonly history: readonly Entry[];
  /** The numbers of the requests under way. */
  underWay(): number[];
  acknowledged(): number;
  /** Lets every client finish its request, and ends. */
  stop(): Promise<void>;
  /** Sends every acknowledged ballot once more, in the hope of the same receipt. */
  retryAll(): Promise<void>;
};

export type ClientsOptions = {
  readonly url: string;
  readonly polls: readonly CrashPoll[];
  readonly count: number;
  readonly random: () => number;
};

const requestMsMax = 15_000;
const retryShare = 0.1;
const secondBallotShare = 0.1;
/** Retries and second ballots are drawn from the latest ballots. */
const recentMax = 200;
/** A server that is away refuses at once: without a breath the clients would only spin. */
const breathMs = 10;

export function startClients({ url, polls, count, random }: ClientsOptions): Clients {
  const history: Entry[] = [];
  const underWay = new Set<number>();
  const recent: Cast[] = [];
  const acknowledged = new Map<string, Cast>();
  const pollOf = new Map(polls.map((poll) => [poll.poll, poll]));
  let acknowledgedCount = 0;
  let castCount = 0;
  let requestCount = 0;
  let stopped = false;

  const pick = <Value>(values: readonly Value[]): Value | undefined => values[Math.floor(random() * values.length)];

  function pickPoll(): CrashPoll {
    let left = random() * polls.reduce((sum, { weight }) => sum + weight, 0);
    const found = polls.find(({ weight }) => (left -= weight) < 0);
    if (found === undefined) throw new Error('There is no poll to vote on.');
    return found;
  }

  function nextCast(): Cast {
    const roll = random();
    const earlier = roll < retryShare + secondBallotShare ? pick(recent) : undefined;
    if (earlier !== undefined && roll < retryShare) return earlier;
    castCount += 1;
    const { poll, policy, door, options } =
      earlier === undefined ? pickPoll() : (pollOf.get(earlier.poll) ?? pickPoll());
    const user = policy === 'open' ? null : (earlier?.user ?? `user-${castCount}`);
    const cast = { poll, policy, door, user, key: `key-${castCount}`, option: pick(options) ?? '' };
    recent[castCount % recentMax] = cast;
    return cast;
  }

  async function send(cast: Cast, final: boolean): Promise<Ended> {
    requestCount += 1;
    const no = requestCount;
    history.push({ ...cast, kind: 'sent', no, final });
    underWay.add(no);
    const ended: Ended = { kind: 'ended', no, ...(await request(url, cast, pollOf.get(cast.poll)?.id ?? '')) };
    history.push(ended);
    underWay.delete(no);
    if (ended.outcome === 'ok') {
      acknowledgedCount += 1;
      acknowledged.set(`${cast.poll} ${cast.key}`, cast);
    }
    return ended;
  }

  async function vote(): Promise<void> {
    while (!stopped) {
      const { outcome } = await send(nextCast(), false);
      if (outcome === 'unknown') await new Promise((resolve) => setTimeout(resolve, breathMs));
    }
  }

  const clients = Array.from({ length: count }, vote);
  return {
    history,
    underWay: () => [...underWay],
    acknowledged: () => acknowledgedCount,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
    async retryAll() {
      const casts = [...acknowledged.values()];
      const retry = async (): Promise<void> => {
        for (let cast = casts.pop(); cast !== undefined; cast = casts.pop()) await send(cast, true);
      };
      await Promise.all(Array.from({ length: count }, retry));
    },
  };
}

type Answer = Pick<Ended, 'outcome' | 'answered' | 'text' | 'receipt'>;

const unknown: Answer = { outcome: 'unknown', answered: false, text: null, receipt: null };

async function request(url: string, cast: Cast, pollId: string): Promise<Answer> {
  try {
    const { path, body } = toRequest(cast, pollId);
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': cast.key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(requestMsMax),
    });
    const text = await response.text();
    const answer = { ...unknown, answered: true };
    if (response.ok) return { ...answer, outcome: 'ok', text, receipt: readReceipt(cast, text) };
    const { recorded } = JSON.parse(text) as { recorded?: string }; // A problem body, or one of a contract, which has no such word.
    return recorded === 'no' ? { ...answer, outcome: 'fail' } : answer;
  } catch {
    // Whatever broke on the way: the client does not know.
    return unknown;
  }
}

function toRequest({ door, user, option }: Cast, pollId: string): { path: string; body: object } {
  if (door === 'features') return { path: '/vote', body: { feature_id: option } };
  if (door === 'party') return { path: `/polls/${pollId}/vote`, body: { user_id: user, option_id: option } };
  const body = { selections: [option], ...(user === null ? {} : { userId: user }) };
  return { path: `/api/v1/polls/${pollId}/ballots`, body };
}

function readReceipt({ door }: Cast, text: string): Receipt | null {
  if (door === 'features') return null;
  const body = JSON.parse(text) as Record<string, string | undefined>; // The shapes are what other tests check.
  const [id, time] = door === 'party' ? [body['vote_id'], body['timestamp']] : [body['ballotId'], body['castAt']];
  return { ballotId: id ?? '', castAt: time ?? '' };
}
