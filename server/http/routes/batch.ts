/** Many ballots in one request: NDJSON in, one outcome line a ballot out, in the order in which they came. */
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { Type } from 'typebox';
import { BatchBallot } from '../../../protocol/ballot.ts';
import { Problem } from '../../../protocol/problem.ts';
import { answerOf, answers } from '../answers.ts';
import { AppError } from '../../errors.ts';
import type { CastRequest, CastResult, Voter } from '../../intake/cast-ballot.ts';
import type { Poll } from '../../poll/poll.ts';
import { readLines } from '../ndjson.ts';
import type { HttpApp, HttpOptions, HttpParts } from '../parts.ts';
import { toAppError } from '../problem.ts';
import { checkedUserId, findPoll, tokenVoterOf } from '../requests.ts';
import { createCheck } from '../validation.ts';
import { toReceiptView } from '../views.ts';

export const ndjsonMediaType = 'application/x-ndjson';
/** One more is answered with `batch_too_large`, and the reading ends. */
export const batchBallotsMax = 10_000;
/** Ballots of one request that wait for their outcome; reading pauses there, so a batch never fills the log alone. */
const unsettledMax = 4_000;

export function registerBatchRoute(app: HttpApp, parts: HttpParts, options: Pick<HttpOptions, 'bodyBytesMax'>): void {
  app.register((batchApp, _options, done) => {
    // A list in application/json, too, is another media type here.
    batchApp.removeAllContentTypeParsers();
    batchApp.addContentTypeParser(ndjsonMediaType, (_request, payload, parsed) => parsed(null, payload));
    batchApp.post<{ Params: { poll: string }; Body: AsyncIterable<Buffer> | undefined }>(
      '/api/v1/polls/:poll/ballots::batch',
      {
        schema: {
          summary: `Cast up to ${batchBallotsMax.toLocaleString('en')} ballots`,
          description:
            'A body of `application/x-ndjson`, one ballot a line: `{"selections": ["1"], "userId": "alice", "idempotencyKey": "k1"}`. ' +
            'The answer has one line a ballot, in the same order: `{"line": 1, "outcome": "counted", …receipt}` (`received` where a broker has it) or ' +
            '`{"line": 2, "outcome": "refused", "code": …, "detail": …, "recorded": …}`. For polls with the electorate `open`, `declared`, or `token` (each line then has its `token`).',
          tags: ['ballots'],
          params: Type.Object({ poll: Type.String() }),
          body: { content: { [ndjsonMediaType]: { schema: Type.String({ description: 'One ballot a line.' }) } } },
          response: answers({
            200: answerOf(ndjsonMediaType, Type.String(), 'One outcome a line'),
            '4xx': Problem,
          }),
        },
        // The body is a stream here: each line is checked as it comes.
        validatorCompiler: () => () => true,
      },
      async (request, reply) => {
        const poll = await findPoll(parts, request.params.poll);
        if (poll.electorate === 'cookie') {
          throw new AppError('credential_missing', 'The voters of this poll are browsers: a batch has no cookies.');
        }
        const { body } = request;
        if (body === undefined) throw new AppError('media_type_unsupported', `Send ${ndjsonMediaType}.`);
        const answer = new PassThrough();
        void castLines({
          poll,
          parts,
          body,
          answer,
          lineBytesMax: options.bodyBytesMax,
        });
        void reply.type(`${ndjsonMediaType}; charset=utf-8`).header('cache-control', 'no-store').send(answer);
        // From here on ballots count: a refusal of the whole request, such as 408, would deny them.
        if (reply.raw.hasHeader('content-type')) reply.raw.flushHeaders();
        return reply;
      },
    );
    done();
  });
}

type Batch = {
  readonly poll: Poll;
  readonly parts: Pick<HttpParts, 'castBallot' | 'tokens'>;
  readonly body: AsyncIterable<Buffer>;
  readonly answer: PassThrough;
  readonly lineBytesMax: number;
};

async function castLines({ poll, parts, body, answer, lineBytesMax }: Batch): Promise<void> {
  const outcomes = createOutcomeLines((text) => answer.write(text));
  let lineNo = 0;
  try {
    for await (const lines of readLines(body, lineBytesMax)) {
      const taken = lines.slice(0, batchBallotsMax - lineNo);
      // Tokens are verified side by side; the ballots are cast in the order of their lines all the same.
      for (const request of await Promise.all(taken.map(async (line) => readLine(parts, poll, line)))) {
        lineNo += 1;
        const done = outcomes.expect(lineNo);
        if (request instanceof AppError) done(request);
        else parts.castBallot(request, done);
      }
      if (taken.length < lines.length) {
        lineNo += 1;
        throw new AppError('batch_too_large', `A batch has at most ${batchBallotsMax} ballots.`);
      }
      await outcomes.unsettledBelow(unsettledMax);
      if (answer.writableNeedDrain) await once(answer, 'drain');
    }
  } catch (error) {
    // The ballots before this line have their own outcomes; nothing after it was read.
    const refusedLine = Math.max(lineNo, outcomes.count() + 1);
    outcomes.expect(refusedLine)(toAppError(error));
  }
  await outcomes.unsettledBelow(1);
  answer.end();
}

const checkLine = createCheck(BatchBallot);

type LineParts = Pick<HttpParts, 'tokens'>;

/** The ballot of a line, or why it cannot be cast. */
function readLine(
  parts: LineParts,
  poll: Poll,
  line: string,
): CastRequest | AppError | Promise<CastRequest | AppError> {
  try {
    const ballot = parseLine(line);
    const voter = voterOfLine(parts, poll, ballot);
    const toRequest = (known: Voter): CastRequest => ({
      poll,
      voter: known,
      optionIds: ballot.selections,
      idempotencyKey: ballot.idempotencyKey ?? null,
    });
    return voter instanceof Promise ? voter.then(toRequest).catch(toAppError) : toRequest(voter);
  } catch (error) {
    return toAppError(error);
  }
}

function voterOfLine(parts: LineParts, poll: Poll, { userId, token }: BatchBallot): Voter | Promise<Voter> {
  if (poll.electorate === 'open') return { kind: 'open' };
  if (poll.electorate === 'token') return tokenVoterOf(parts, token);
  return { kind: 'declared', userId: checkedUserId(userId) };
}

/** @throws {AppError} `request_malformed` */
function parseLine(line: string): BatchBallot {
  let ballot: unknown;
  try {
    ballot = JSON.parse(line);
  } catch (cause) {
    throw new AppError('request_malformed', 'The line is not JSON.', { cause });
  }
  const refused = checkLine(ballot);
  if (refused !== null) throw refused;
  return ballot as BatchBallot; // The check above is the schema of this type.
}

/** Writes outcomes in the order of their lines, however they settle: each line waits for those before it. */
function createOutcomeLines(write: (text: string) => void) {
  const texts: (string | undefined)[] = [];
  let expectedCount = 0;
  let settledCount = 0;
  let writtenCount = 0;
  let below: { count: number; resolve: () => void } | null = null;

  function writeSettled(): void {
    const from = writtenCount;
    while (writtenCount < expectedCount && texts[writtenCount] !== undefined) writtenCount += 1;
    if (writtenCount === from) return;
    write(texts.slice(from, writtenCount).join(''));
    texts.fill(undefined, from, writtenCount);
  }

  function settle(lineNo: number, result: CastResult): void {
    texts[lineNo - 1] = `${JSON.stringify(toOutcomeLine(lineNo, result))}\n`;
    settledCount += 1;
    // Lines settle by the batch: one write for all that one batch of the recorder brings.
    if (settledCount === expectedCount || settledCount % 256 === 0) writeSettled();
    if (below === null || expectedCount - settledCount >= below.count) return;
    writeSettled();
    below.resolve();
    below = null;
  }

  return {
    expect(lineNo: number): (result: CastResult) => void {
      expectedCount = lineNo;
      return (result) => settle(lineNo, result);
    },
    count: () => expectedCount,
    unsettledBelow(count: number): Promise<void> {
      if (expectedCount - settledCount < count) return Promise.resolve();
      return new Promise((resolve) => {
        below = { count, resolve };
      });
    },
  };
}

function toOutcomeLine(line: number, result: CastResult): object {
  if (!(result instanceof AppError)) return { line, outcome: result.state, ...toReceiptView(result) };
  const { code, message, recorded, violations, extra } = result;
  return {
    line,
    outcome: 'refused',
    code,
    detail: message,
    recorded,
    ...(violations.length > 0 ? { violations } : {}),
    ...extra,
  };
}
