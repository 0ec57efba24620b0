/** Pictures of a poll: its QR code, the card that other sites show of a link to it, and its logo. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toShares } from '../../protocol/shares.ts';
import type { PollTally } from '../board/tally-board.ts';
import { AppError } from '../errors.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { findPoll } from '../http/requests.ts';
import { createPngMaker, type PngMaker } from '../images/png.ts';
import { toQrSvg } from '../images/qr-code.ts';
import { toResultCard, type Card, type CardOption } from '../images/result-card.ts';
import type { Option, Poll } from '../poll/poll.ts';
import type { PollStatus } from '../poll/schedule.ts';
import { anyone } from '../poll/visibility.ts';

type PollRequest = FastifyRequest<{ Params: { poll: string }; Querystring: { size?: string } }>;

const qrSize = { default: 512, min: 256, max: 2_048 };
const cardWidthPx = 1_200;
/** Cards that are kept, each about 40 kB. */
const cardsMax = 200;
const cardKeptMs = 10_000;

export function registerImageRoutes(app: HttpApp, parts: HttpParts): void {
  const hidden = { schema: { hide: true } };
  const pngs = createPngMaker();
  const readCard = createCardCache(parts, pngs.make);
  app.addHook('onClose', pngs.stop);

  app.get('/p/:poll/qr.svg', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    return sendImage(reply, 'image/svg+xml', toQrSvg(`${parts.pages.publicUrlOf(request)}/p/${poll.slug}`));
  });

  app.get('/p/:poll/qr.png', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    const png = await pngs.make(
      toQrSvg(`${parts.pages.publicUrlOf(request)}/p/${poll.slug}`),
      parseSize(request.query.size),
    );
    return sendImage(reply, 'image/png', takeImage(png));
  });

  app.get('/p/:poll/card.png', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    return sendImage(reply, 'image/png', takeImage(await readCard(poll, parts.pages.publicUrlOf(request))));
  });

  app.get('/p/:poll/logo', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    const logo = poll.hasLogo ? await parts.pollStore.readLogo(poll.pollNo) : null;
    if (logo === null) throw new AppError('route_not_found', 'This poll has no logo.');
    return sendImage(reply, logo.type, logo.bytes);
  });
}

function sendImage(reply: FastifyReply, type: string, image: string | Buffer): FastifyReply {
  return reply
    .type(type)
    .header('cache-control', 'public, max-age=10')
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(image);
}

function parseSize(text: string | undefined): number {
  if (text === undefined) return qrSize.default;
  const size = /^\d{1,4}$/u.test(text) ? Number(text) : 0;
  if (size >= qrSize.min && size <= qrSize.max) return size;
  throw new AppError('request_malformed', `size takes a whole number from ${qrSize.min} to ${qrSize.max}.`);
}

function takeImage(png: Buffer | null): Buffer {
  if (png === null) throw new AppError('images_busy', 'Too many pictures are being made at this moment.');
  return png;
}

type KeptCard = {
  readonly key: string;
  readonly version: number;
  readonly at: number;
  readonly png: Promise<Buffer | null>;
};

/** Cards as anyone may see them: made anew when the tally has changed, but every ten seconds at most. */
function createCardCache({ results }: Pick<HttpParts, 'results'>, toPng: PngMaker['make']) {
  const kept = new Map<string, KeptCard>();

  function read(poll: Poll, publicUrl: string): KeptCard {
    const status = results.statusOf(poll);
    const tally = results.tallyOf(poll, anyone);
    // Who may see what, and what the manager has changed, is not a matter of seconds.
    const key = `${poll.revision} ${status} ${tally === null}`;
    const version = tally?.version ?? 0;
    const known = kept.get(`${poll.pollNo} ${publicUrl}`);
    const at = performance.now();
    if (known?.key === key && (known.version === version || at - known.at < cardKeptMs)) return known;
    return { key, version, at, png: toPng(toResultCard(toCard(poll, { status, tally, publicUrl })), cardWidthPx) };
  }

  return (poll: Poll, publicUrl: string): Promise<Buffer | null> => {
    const place = `${poll.pollNo} ${publicUrl}`;
    const card = read(poll, publicUrl);
    const forget = (): void => {
      if (kept.get(place) === card) kept.delete(place);
    };
    // The one that was asked for last goes last.
    kept.delete(place);
    kept.set(place, card);
    card.png.then((made) => (made === null ? forget() : undefined), forget);
    const [oldest] = kept.keys();
    if (kept.size > cardsMax && oldest !== undefined) kept.delete(oldest);
    return card.png;
  };
}

const statusWords = { draft: 'Not open yet', open: 'Open', paused: 'Paused', closing: 'Closing', closed: 'Closed' };

type Shown = { readonly status: PollStatus; readonly tally: PollTally | null; readonly publicUrl: string };

function toCard(poll: Poll, { status, tally, publicUrl }: Shown): Card {
  const ballots = tally === null ? 'results hidden' : toBallotsText(tally.ballots);
  return {
    question: poll.question,
    status: `${statusWords[status]} · ${ballots}`,
    options: tally === null ? poll.options.map(toHiddenOption) : toShownOptions(poll, tally),
    accent: poll.color,
    address: `${publicUrl.replace(/^https?:\/\//u, '')}/p/${poll.slug}`,
  };
}

function toBallotsText(ballots: number): string {
  return `${ballots.toLocaleString('en')} ${ballots === 1 ? 'ballot' : 'ballots'}`;
}

function toHiddenOption({ text, optionNo }: Option): CardOption {
  return { text, place: optionNo, result: null };
}

/** With the leading ones first. */
function toShownOptions(poll: Poll, tally: PollTally): CardOption[] {
  const votes = poll.options.map(({ optionNo }) => tally.votesOf(optionNo));
  const shares = toShares(votes);
  const most = Math.max(1, ...votes);
  const ranked = poll.options.map(({ text, optionNo: place }, index) => {
    const result = { votes: votes[index] ?? 0, share: shares[index] ?? 0, leads: votes[index] === most };
    return { text, place, result };
  });
  return ranked.sort((a, b) => b.result.votes - a.result.votes);
}
