/**
 * A server without its doors: ballots are cast by calls, many under way at a time, so that the cost of HTTP is left out.
 * Takes the server's flags and variables. Each message from its parent is an order, and is answered by one.
 */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { parseConfig } from '../server/config.ts';
import { openCore } from '../server/core.ts';
import { AppError } from '../server/errors.ts';
import { openLedger } from '../server/open-ledger.ts';
import { plainTerms, type Poll } from '../server/poll/poll.ts';

export type CastOrder = { readonly seconds: number; readonly inFlight: number };

export type CastDone = {
  readonly pollId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly answered: number;
  /** Until the last answer. */
  readonly seconds: number;
};

const config = parseConfig({ argv: process.argv.slice(2), env: process.env });
const log = pino({ level: config.logLevel }, pino.destination(2));
const ledger = await openLedger(config, { log, onProgress: () => {}, onLost: fail });
const core = await openCore(config, ledger, log);
await core.start();

process.on('message', (order: CastOrder) => {
  void answer(order);
});
process.on('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  stop().then(() => process.exit(0), fail);
});
console.log('ready on 0');

async function stop(): Promise<void> {
  for (const [, end] of core.ends) await end();
  await ledger.close();
}

async function answer(order: CastOrder): Promise<void> {
  try {
    process.send?.(await run(order));
  } catch (error) {
    fail(error);
  }
}

async function run(order: CastOrder): Promise<CastDone> {
  const { poll } = await core.managePoll.create({
    ...plainTerms,
    question: 'Bench?',
    electorate: 'declared',
    slug: null,
    options: ['1', '2', '3', '4'].map((id) => ({ id, text: id, description: null })),
    opensAt: core.now(),
    closesAt: null,
  });
  return cast(poll, order);
}

/** Each answer is followed by the next ballot, as long as there is time. */
function cast(poll: Poll, { seconds, inFlight }: CastOrder): Promise<CastDone> {
  const voters = randomBytes(8).toString('hex');
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let castCount = 0;
  let answered = 0;
  return new Promise((resolve, reject) => {
    const castOne = (): void => {
      castCount += 1;
      const voter = { kind: 'declared', userId: `${voters}${castCount}` } as const;
      core.castBallot({ poll, voter, optionIds: ['1'], idempotencyKey: null }, (result) => {
        if (result instanceof AppError) return reject(result);
        answered += 1;
        const now = performance.now();
        if (now < endsAt) castOne();
        else if (answered === castCount) {
          const took = (now - startedAt) / 1_000;
          resolve({ pollId: poll.id, startedAt: performance.timeOrigin + startedAt, answered, seconds: took });
        }
      });
    };
    for (let count = 0; count < inFlight; count += 1) castOne();
  });
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
