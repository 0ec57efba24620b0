/** The contract `features`: votes for product features, unlimited, without voters. The board is the poll with the slug `features`. */
import { AppError } from '../errors.ts';
import type { Contract } from '../http/app.ts';
import { parseJson } from '../http/json-body.ts';
import type { HttpParts } from '../http/parts.ts';
import { answerProblem, prepareRefusal } from '../http/problem.ts';
import { castToReceipt, idempotencyKeyOf } from '../http/requests.ts';
import type { PollDraft } from '../poll/check-poll.ts';
import { plainTerms, type Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';
import { resultAnswers, voteAnswers, voteReads, voteRefusals } from './features-shapes.ts';

const slug = 'features';
const tags = ['contracts'];
const resultRefusals = ['results_hidden', 'ledger_unavailable', 'internal'] as const;
const sampleFeatures = ['P1_chatbot', 'P2_user_generated_content', 'P3_personalized_push'];

/** The board that the preset makes. */
export function toFeatureBoard(now: number): PollDraft & { slug: string } {
  return {
    ...plainTerms,
    question: 'Which feature should we build next?',
    electorate: 'open',
    layout: 'board',
    slug,
    options: sampleFeatures.map((text, index) => ({ id: String(index + 1), text, description: null })),
    opensAt: now,
    closesAt: null,
  };
}

/** What the contract itself refuses, in its own words. */
class FeatureRefusal extends Error {}

export const featuresContract: Contract = {
  openToAnyOrigin: null,
  register(app, parts) {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
      try {
        done(null, parseJson(body));
      } catch {
        done(new FeatureRefusal('Malformed JSON in request body'));
      }
    });
    app.setErrorHandler((error, request, reply) => {
      if (!(error instanceof FeatureRefusal)) return answerProblem(error, request, reply);
      const refused = new AppError('request_malformed', error.message);
      return prepareRefusal(refused, request, reply).send({ success: false, message: error.message });
    });

    const vote = {
      operationId: 'voteForFeature',
      summary: 'Vote for a feature',
      description:
        'Contract `features`. Nobody is told apart: each request counts once, and one with an `Idempotency-Key` once in all.',
      tags,
      reads: voteReads,
      answers: voteAnswers,
      refusals: voteRefusals,
    };
    app.post('/vote', { schema: vote }, async (request) => {
      const optionId = parseFeatureId(request.body);
      const poll = await findBoard(parts);
      if (poll === null || !poll.optionNoById.has(optionId)) throw new FeatureRefusal('Invalid feature ID');
      const idempotencyKey = idempotencyKeyOf(request);
      await castToReceipt(parts, { poll, voter: { kind: 'open' }, optionIds: [optionId], idempotencyKey });
      return { success: true, message: 'Voted successfully' };
    });

    const result = {
      operationId: 'readFeatureVotes',
      summary: 'Votes by feature',
      description: 'Contract `features`.',
      tags,
      answers: resultAnswers,
      refusals: resultRefusals,
    };
    app.get('/result', { schema: result }, async (_request, reply) => {
      void reply.header('cache-control', 'no-cache');
      const poll = await findBoard(parts);
      return poll === null ? { features: [], total_votes_last_10_min: 0 } : toResult(parts, poll);
    });
  },
};

async function findBoard({ polls }: HttpParts): Promise<Poll | null> {
  return polls.peek(slug) ?? (await polls.find(slug));
}

/** The id as text: integers, and texts that are integers. */
function parseFeatureId(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('feature_id' in body)) {
    throw new FeatureRefusal('Missing feature ID in request body');
  }
  const id = body.feature_id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  if (typeof id === 'string' && /^\d{1,15}$/u.test(id)) return String(Number(id));
  throw new FeatureRefusal('Invalid feature ID');
}

function toResult({ results }: HttpParts, poll: Poll): object {
  const tally = results.tallyOf(poll, anyone);
  if (tally === null) throw new AppError('results_hidden', 'The results of the feature board are hidden.');
  return {
    features: poll.options.map(({ text, optionNo }) => ({
      name: text,
      cumulative_vote_count: tally.votesOf(optionNo),
    })),
    total_votes_last_10_min: tally.lastTenMinutes,
  };
}
