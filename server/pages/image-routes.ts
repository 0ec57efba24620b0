/** Pictures of a poll: its QR code, the card that other sites show of a link to it, and its logo. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toShares } from '../../protocol/shares.ts';
import { AppError } from '../errors.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { findPoll } from '../http/requests.ts';
import { createPngMaker, type PngMaker } from '../images/png.ts';
import { toQrSvg } from '../images/qr-code.ts';
import { toResultCard, type Card } from '../images/result-card.ts';
import type { Poll } from '../poll/poll.ts';
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

/** Cards as anyone may see them, the same for all who ask within ten seconds. */
function createCardCache(parts: HttpParts, toPng: PngMaker['make']) {
  const kept = new Map<string, { readonly key: string; readonly at: number; readonly png: Promise<Buffer | null> }>();
  return (poll: Poll, publicUrl: string): Promise<Buffer | null> => {
    const card = toCard(parts, poll, publicUrl);
    const key = JSON.stringify(card);
    const place = `${poll.pollNo} ${publicUrl}`;
    const known = kept.get(place);
    const at = performance.now();
    // Who may see what is not a matter of seconds: a card that shows figures is not kept beyond their hiding.
    const isFresh = known !== undefined && at - known.at < cardKeptMs && (card.rows !== null || known.key === key);
    if (isFresh) return known.png;
    const png = toPng(toResultCard(card), cardWidthPx);
    kept.delete(place);
    kept.set(place, { key, at, png });
    void png.then(
      (made) => made ?? kept.delete(place),
      () => kept.delete(place),
    );
    const [oldest] = kept.keys();
    if (kept.size > cardsMax && oldest !== undefined) kept.delete(oldest);
    return png;
  };
}

const statusWords = { draft: 'Not open yet', open: 'Open', paused: 'Paused', closing: 'Closing', closed: 'Closed' };

function toCard({ results }: HttpParts, poll: Poll, publicUrl: string): Card {
  const status = results.statusOf(poll);
  const tally = results.tallyOf(poll, anyone);
  const votes = tally === null ? [] : poll.options.map(({ optionNo }) => tally.votesOf(optionNo));
  const shares = toShares(votes);
  const most = Math.max(1, ...votes);
  const rows = poll.options
    .map(({ text }, index) => ({
      text,
      votes: votes[index] ?? 0,
      share: shares[index] ?? 0,
      leads: votes[index] === most,
    }))
    .sort((a, b) => b.votes - a.votes);
  const ballots =
    tally === null ? '' : ` · ${tally.ballots.toLocaleString('en')} ${tally.ballots === 1 ? 'ballot' : 'ballots'}`;
  return {
    question: poll.question,
    status: `${statusWords[status]}${ballots}`,
    rows: tally === null ? null : rows,
    options: poll.options.map(({ text }) => text),
    accent: poll.color,
    address: `${publicUrl.replace(/^https?:\/\//u, '')}/p/${poll.slug}`,
  };
}
