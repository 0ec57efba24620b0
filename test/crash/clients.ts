/** Clients that vote without pause, mostly well, sometimes twice, sometimes the same again, and write down what they do and see. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** How many acknowledgements came. */
  acknowledged(): number;
  /** The ids on their receipts, each once. Some interfaces give none. */
  ballotIds(): string[];
  /** Lets every client finish its request, and ends. */
  stop(): Promise<void>;
  /** Sends every acknowledged ballot once more, in the hope of the same receipt. */
  retryAll(): Promise<void>;
};

export type ClientsOptions = {
  /** The servers; each request goes to any of them. */
  readonly urls: readonly string[];
  readonly polls: readonly CrashPoll[];
  readonly count: number;
  readonly random: () => number;
  /** Between an answer and the next request of a client. */
  readonly thinkMs?: number;
  /** How long a client waits for an answer. */
  readonly answerMsMax?: number;
};

const answerMsDefault = 15_000;
const retryShare = 0.1;
const secondBallotShare = 0.1;
/** Retries and second ballots are drawn from the latest ballots. */
const recentMax = 200;
/** A server that is away refuses at once: without a breath the clients would only spin. */
const breathMs = 10;

export function startClients(options: ClientsOptions): Clients {
  const { urls, polls, count, random, thinkMs = 0, answerMsMax = answerMsDefault } = options;
  const history: Entry[] = [];
  const underWay = new Set<number>();
  const recent: Cast[] = [];
  const acknowledged = new Map<string, Cast>();
  const ballotIds = new Set<string>();
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
    const { path, body } = toRequest(cast, pollOf.get(cast.poll)?.id ?? '');
    const answer = await request({ url: `${pick(urls)}${path}`, body, cast, msMax: answerMsMax });
    const ended: Ended = { kind: 'ended', no, ...answer };
    history.push(ended);
    underWay.delete(no);
    if (ended.outcome === 'ok') {
      acknowledgedCount += 1;
      acknowledged.set(`${cast.poll} ${cast.key}`, cast);
      if (ended.receipt !== null) ballotIds.add(ended.receipt.ballotId);
    }
    return ended;
  }

  async function vote(): Promise<void> {
    while (!stopped) {
      const { outcome } = await send(nextCast(), false);
      const pauseMs = outcome === 'unknown' ? Math.max(breathMs, thinkMs) : thinkMs;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }

  const clients = Array.from({ length: count }, vote);
  return {
    history,
    underWay: () => [...underWay],
    acknowledged: () => acknowledgedCount,
    ballotIds: () => [...ballotIds],
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

type Answer = Pick<Ended, 'outcome' | 'answered' | 'text' | 'receipt' | 'refusal'>;

const unknown: Answer = { outcome: 'unknown', answered: false, text: null, receipt: null, refusal: null };

type Request = { readonly url: string; readonly body: object; readonly cast: Cast; readonly msMax: number };

async function request({ url, body, cast, msMax }: Request): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': cast.key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(msMax),
    });
    const text = await response.text();
    if (response.ok) return { ...unknown, answered: true, outcome: 'ok', text, receipt: readReceipt(cast, text) };
    const refusal = { status: response.status, retryAfter: response.headers.has('retry-after') };
    const answer = { ...unknown, answered: true, refusal };
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
  const body = JSON.parse(text) as Record<string, string | null | undefined>; // The shapes are what other tests check.
  const [id, time] = door === 'party' ? [body['vote_id'], body['timestamp']] : [body['ballotId'], body['castAt']];
  return { ballotId: id ?? '', castAt: time ?? null };
}
