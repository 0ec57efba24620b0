/** Many ballots in one request: NDJSON in, one outcome line a ballot out, in the order in which they came. */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Type } from 'typebox';
import { BatchBallot } from '../../../protocol/ballot.ts';
import { exampleReceipt } from '../../../protocol/examples.ts';
import { PollName } from '../../../protocol/poll.ts';
import { answerOf, refusalsOf } from '../answers.ts';
import { AppError } from '../../errors.ts';
import type { CastRequest, CastResult, Voter } from '../../intake/cast-ballot.ts';
import type { Poll } from '../../poll/poll.ts';
import { onBrokenBody } from '../broken-request.ts';
import { createHeldAnswers, type HeldAnswer } from '../held-answer.ts';
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
/** Outcomes of all batches whose ballots are still coming in: some twenty whole batches. */
const heldCharsMax = 50_000_000;

const BallotLines = Type.String({
  description: 'One ballot a line.',
  examples: ['{"selections":["1"],"userId":"alice","idempotencyKey":"k1"}\n{"selections":["9"],"userId":"bob"}\n'],
});
const exampleOutcomes = [
  { line: 1, outcome: 'counted', ...exampleReceipt },
  {
    line: 2,
    outcome: 'refused',
    code: 'ballot_invalid',
    detail: 'The selections break the rules of this poll.',
    recorded: 'no',
  },
]
  .map((outcome) => `${JSON.stringify(outcome)}\n`)
  .join('');

export function registerBatchRoute(app: HttpApp, parts: HttpParts, options: Pick<HttpOptions, 'bodyBytesMax'>): void {
  const answers = createHeldAnswers(heldCharsMax);
  app.register((batchApp, _options, done) => {
    // A list in application/json, too, is another media type here.
    batchApp.removeAllContentTypeParsers();
    batchApp.addContentTypeParser(ndjsonMediaType, (_request, payload, parsed) => parsed(null, payload));
    batchApp.post<{ Params: { poll: string }; Body: Readable | undefined }>(
      '/api/v1/polls/:poll/ballots::batch',
      {
        schema: {
          operationId: 'castBallots',
          summary: `Cast up to ${batchBallotsMax.toLocaleString('en')} ballots`,
          description:
            'A body of `application/x-ndjson`, one ballot a line: `{"selections": ["1"], "userId": "alice", "idempotencyKey": "k1"}`. ' +
            'The answer has one line a ballot, in the same order: `{"line": 1, "outcome": "counted", …receipt}` (`received` where a broker has it) or ' +
            '`{"line": 2, "outcome": "refused", "code": …, "detail": …, "recorded": …}`. For polls with the electorate `open`, `declared`, or `token` (each line then has its `token`).',
          tags: ['ballots'],
          params: Type.Object({ poll: PollName }),
          // The body is a stream here: each line is checked as it comes.
          reads: { body: { content: { [ndjsonMediaType]: { schema: BallotLines } } } },
          answers: { 200: answerOf(ndjsonMediaType, Type.String(), 'One outcome a line.', exampleOutcomes) },
          refusals: [...refusalsOf.poll, 'credential_missing', 'media_type_unsupported', 'request_timeout'],
        },
      },
      async (request, reply) => {
        const poll = await findPoll(parts, request.params.poll);
        if (poll.electorate === 'cookie') {
          throw new AppError('credential_missing', 'The voters of this poll are browsers: a batch has no cookies.');
        }
        const { body } = request;
        if (body === undefined) throw new AppError('media_type_unsupported', `Send ${ndjsonMediaType}.`);
        const answer = answers.open();
        // Ballots count from here on: a refusal of the whole request, such as 408, would deny them.
        const broken = Promise.withResolvers<never>();
        broken.promise.catch(() => undefined);
        onBrokenBody(reply.raw, broken.reject);
        void castLines({ poll, parts, body, broken: broken.promise, answer, lineBytesMax: options.bodyBytesMax });
        await answer.begun;
        void reply.type(`${ndjsonMediaType}; charset=utf-8`).header('cache-control', 'no-store').send(answer.stream);
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
  readonly body: Readable;
  /** Rejects where the body breaks off or comes too slowly. */
  readonly broken: Promise<never>;
  readonly answer: HeldAnswer;
  readonly lineBytesMax: number;
};

async function castLines({ poll, parts, body, broken, answer, lineBytesMax }: Batch): Promise<void> {
  const outcomes = createOutcomeLines(answer.write);
  let lineNo = 0;
  try {
    for await (const lines of readLines(chunksOf(body, broken), lineBytesMax)) {
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
      await answer.room();
    }
    answer.begin();
  } catch (error) {
    // The ballots before this line have their own outcomes; nothing after it was read.
    const refusedLine = Math.max(lineNo, outcomes.count() + 1);
    outcomes.expect(refusedLine)(toAppError(error));
    await discard(body, broken);
  }
  await outcomes.unsettledBelow(1);
  answer.end();
}

/** The body as it comes. Where the reading ends early, the connection stays for the answer. */
async function* chunksOf(body: Readable, broken: Promise<never>): AsyncGenerator<Buffer> {
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>; // Bodies are bytes.
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), broken]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: it would wait for a chunk that may never come.
    chunks.return?.().catch(() => undefined);
  }
}

/** Lets the rest of the body pass by, because a client that still sends does not read; until the request's time is over. */
async function discard(body: Readable, broken: Promise<never>): Promise<void> {
  await Promise.race([finished(body.resume()), broken]).catch(() => undefined);
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
