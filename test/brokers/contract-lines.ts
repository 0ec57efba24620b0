/** The lines that people type at a deployment, and what it answers, contract by contract. Most are those of the contracts and of docs/. */
import { expect } from 'vitest';

export type Line = {
  /** For a shell. It may use what earlier lines have kept. */
  readonly line: string;
  /** What the answer is, in the first and in the second round; JSON where it is an object, else text that is in it. */
  readonly answers: (round: number) => object | string;
  /** It is asked again until it answers so, because others count meanwhile. */
  readonly patiently?: boolean;
  /** What later lines use, out of the answer's body. */
  readonly keeps?: (body: string) => Readonly<Record<string, string>>;
};

export type ContractRun = {
  /** What of a service is killed between the two rounds: each once, all at the same moment. */
  readonly victims: readonly string[];
  /** The command of the program that says who votes in a round, and the service in whose container it runs. */
  readonly token?: (round: number) => readonly [service: string, ...args: string[]];
  readonly lines: readonly Line[];
};

const json = `-H 'Content-Type: application/json'`;

function parse(body: string): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>; // The line has an answer that is an object.
}

export const contractRuns: Readonly<Record<string, ContractRun>> = {
  features: {
    victims: ['features'],
    lines: [
      {
        line: `curl -X POST -H "Content-Type: application/json" -d '{"feature_id": 1}' http://localhost:8000/vote`,
        answers: () => ({ success: true, message: 'Voted successfully' }),
      },
      {
        line: `curl -X GET -H "Content-Type: application/json" http://localhost:8000/result`,
        answers: (round) => ({
          features: [
            { name: 'P1_chatbot', cumulative_vote_count: round },
            { name: 'P2_user_generated_content', cumulative_vote_count: 0 },
            { name: 'P3_personalized_push', cumulative_vote_count: 0 },
          ],
          total_votes_last_10_min: round,
        }),
        patiently: true,
      },
      {
        line: `curl -i -X POST ${json} -d '{"feature_id": 99}' http://localhost:8000/vote`,
        answers: () => 'HTTP/1.1 400',
      },
      { line: `curl http://localhost:8000/`, answers: () => ({ status: 'healthy' }) },
    ],
  },

  election: {
    victims: ['election', 'election-worker'],
    token: (round) => ['election', 'token', '--user', `alice${round}`],
    lines: [
      {
        line: String.raw`curl http://localhost:8000/api/v1/vote -H 'content-type: application/json' -d "{\"candidate_id\": \"c0000000-0000-4000-8000-000000000001\", \"user_token\": \"$TOKEN\"}"`,
        answers: () => ({ status: 'accepted', message: 'Vote accepted for processing' }),
        keeps: (body) => ({ VOTE_ID: String(parse(body)['vote_id']) }),
      },
      {
        line: `curl http://localhost:8000/api/v1/votes/$VOTE_ID`,
        answers: () => ({ processing_status: 'processed' }),
        patiently: true,
      },
      {
        line: String.raw`curl http://localhost:8000/api/v1/vote -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"candidate_id": "c0000000-0000-4000-8000-000000000002"}'`,
        answers: () => ({ status: 'accepted' }),
        keeps: (body) => ({ VOTE_ID: String(parse(body)['vote_id']) }),
      },
      {
        line: `curl http://localhost:8000/api/v1/votes/$VOTE_ID`,
        answers: () => ({ processing_status: 'failed', reason: 'already_voted' }),
        patiently: true,
      },
      {
        // From Redis an answer may be as old as RESULTS_CACHE_TTL_SECONDS, so it is the other candidates that are looked at.
        line: `curl 'http://localhost:8000/api/v1/results?page=1&limit=100'`,
        answers: () => ({ results: expect.arrayContaining([expect.objectContaining({ vote_count: 0 })]) }),
      },
      {
        line: `curl -i http://localhost:8000/api/v1/vote ${json} -d '{"candidate_id": "c0000000-0000-4000-8000-000000000001"}'`,
        answers: () => 'HTTP/1.1 401',
      },
    ],
  },

  duel: {
    victims: ['duel', 'duel-worker', 'duel-redis'],
    lines: [
      { line: `curl http://localhost:5000/`, answers: () => '<title>Cats vs Dogs!</title>' },
      { line: `curl -i -X POST -d 'vote=a' http://localhost:5000/`, answers: () => 'HTTP/1.1 200' },
      { line: `curl -i -X POST -d 'vote=c' http://localhost:5000/`, answers: () => 'HTTP/1.1 400' },
      {
        line: `curl http://localhost:5001/`,
        answers: (round) => (round === 1 ? '1 vote' : `${round} votes`),
        patiently: true,
      },
      { line: `curl 'http://localhost:5001/socket.io/?EIO=4&transport=polling'`, answers: () => '"sid"' },
    ],
  },

  live: {
    victims: ['live', 'redis-node-1'],
    lines: [
      { line: `curl http://localhost:8000/`, answers: () => ({ status: 'healthy' }) },
      {
        line: `curl -X POST http://localhost:8000/api/v1/vote/100 ${json} -d '{"option_id": "A"}'`,
        answers: () => ({ status: 'success', message: 'Vote accepted' }),
      },
      {
        line: `curl http://localhost:8000/api/v1/results/100`,
        answers: (round) => ({
          poll_id: '100',
          results: { A: round },
          served_via: expect.stringMatching(/^redis_700[01]$/u),
        }),
        patiently: true,
      },
      { line: `curl -i -X POST http://localhost:8000/api/v1/vote/100 ${json} -d '{}'`, answers: () => 'HTTP/1.1 422' },
    ],
  },

  party: {
    victims: ['party'],
    lines: [
      {
        line: `curl -X POST http://localhost:3000/polls ${json} -d '{"question": "Which language?", "options": ["JavaScript", "Python"], "expired_at": "2130-03-30T00:00:00.000Z"}'`,
        answers: () => ({ question: 'Which language?', total_votes: 0 }),
        keeps: (body) => {
          const { id, options } = parse(body);
          const [first] = options as { option_id: string }[]; // The contract's shape.
          return { POLL_ID: String(id), OPTION_ID: String(first?.option_id) };
        },
      },
      {
        line: `curl -i -X POST http://localhost:3000/polls/$POLL_ID/vote ${json} -d "{\\"user_id\\": \\"user123\\", \\"option_id\\": \\"$OPTION_ID\\"}"`,
        answers: () => 'HTTP/1.1 202',
      },
      {
        line: `curl http://localhost:3000/polls/$POLL_ID`,
        answers: () => ({ total_votes: 1, options: [{ vote_count: 1 }, { vote_count: 0 }] }),
        patiently: true,
      },
      {
        line: `curl http://localhost:3000/leaderboard`,
        answers: (round) => ({
          data: expect.toSatisfy(
            (rows: { vote_count: number }[]) => rows.filter((row) => row.vote_count === 1).length === round,
          ),
        }),
        patiently: true,
      },
      { line: `curl http://localhost:3000/health`, answers: () => ({ status: 'ok' }) },
    ],
  },
};
