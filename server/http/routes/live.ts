/** Live results over HTTP: the WebSocket at `/api/v1/live`, and the same frames as server-sent events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { PollName } from '../../../protocol/poll.ts';
import { AppError } from '../../errors.ts';
import { serveEvents } from '../../live/events.ts';
import { serveLiveProtocol, type LiveProtocolParts } from '../../live/live-protocol.ts';
import type { Seat, Transport } from '../../live/keeper.ts';
import { refuseUpgrade } from '../../live/websocket.ts';
import { answerOf, readsHeaders, refusalsOf } from '../answers.ts';
import { securityOf } from '../api-document.ts';
import type { HttpApp, HttpOptions, HttpParts } from '../parts.ts';
import { findPoll, liveViewerOf } from '../requests.ts';
import { isOurOrigin } from '../origins.ts';

const tags = ['tallies'];
const eventStream = answerOf(
  'text/event-stream',
  Type.String(),
  'Frames in JSON, one event each, until the client goes. docs/protocol.md has all of them.',
  'event: heartbeat\ndata: {"type":"heartbeat","at":"2030-03-30T18:00:10.000Z"}\n\n',
);

export function registerLiveRoutes(app: HttpApp, parts: HttpParts, options: OriginOptions): void {
  registerSocket(parts, options);
  registerPollEvents(app, parts);
  registerLeaderboardEvents(app, parts);
}

type OriginOptions = Pick<HttpOptions, 'corsOrigins' | 'publicUrl'>;

function registerSocket(parts: HttpParts, options: OriginOptions): void {
  // Made once: as part of what a request has around it, they would keep the request as long as the socket.
  const protocolParts: LiveProtocolParts = {
    hub: parts.hub,
    findPoll: (name) => findPoll(parts, name),
    viewerOf: (headers, poll, ballotId) => liveViewerOf(parts, headers, poll, ballotId),
  };
  parts.live.upgrades.at('/api/v1/live', (upgrade) => {
    const { request, socket } = upgrade;
    if (!isOurOrigin(request.headers, options)) {
      refuseUpgrade(
        socket,
        403,
        'origin_forbidden',
        'Pages of this origin may not follow polls here. See --cors-origins.',
      );
      return;
    }
    parts.live.door.open(upgrade, (liveSocket) => serveLiveProtocol(protocolParts, liveSocket, request.headers));
  });
}

function registerPollEvents(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/api/v1/polls/:poll/events',
    {
      schema: {
        operationId: 'followPoll',
        summary: 'Follow a poll',
        description: 'Server-sent events: first the poll with its tally, then each change.',
        tags,
        security: securityOf.viewer,
        params: Type.Object({ poll: PollName }),
        reads: { headers: readsHeaders('Last-Event-ID') },
        querystring: Type.Object({
          ballot: Type.Optional(
            Type.String({ maxLength: 64, description: 'The id on a receipt: its holder has voted.' }),
          ),
        }),
        answers: { 200: eventStream },
        refusals: [...refusalsOf.poll, 'too_many_connections', 'shutting_down'],
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      const viewer = await liveViewerOf(parts, request.headers, poll, request.query.ballot);
      const known = request.headers['last-event-id'];
      const knownEventId = typeof known === 'string' ? known : null;
      return stream(parts, request, reply, (subscriber) => parts.hub.subscribe(poll, viewer, subscriber, knownEventId));
    },
  );
}

function registerLeaderboardEvents(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/api/v1/leaderboard/events',
    {
      schema: {
        operationId: 'followLeaderboard',
        summary: 'Follow the leaderboard',
        description: 'Server-sent events: the leaderboard, and again whenever it changes.',
        tags,
        querystring: Type.Object({
          window: Type.Optional(
            Type.Union([Type.Literal('all'), Type.Literal('last_ten_minutes')], { default: 'all' }),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
        }),
        answers: { 200: eventStream },
        refusals: ['request_malformed', 'too_many_connections', 'shutting_down', 'internal'],
      },
    },
    async (request, reply) => {
      const { window = 'all', limit = 10 } = request.query;
      return stream(parts, request, reply, (subscriber) => parts.hub.subscribeToLeaderboard(window, limit, subscriber));
    },
  );
}

function stream(
  parts: Pick<HttpParts, 'live' | 'forwarding' | 'health'>,
  request: FastifyRequest,
  reply: FastifyReply,
  follow: Parameters<typeof serveEvents>[2]['follow'],
): FastifyReply {
  // Its answer has no body to wait for.
  if (request.method === 'HEAD') return reply.type('text/event-stream; charset=utf-8').send('');
  const seat = takeSeat(parts, request, 'events');
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'number' ? String(value) : value]],
    ),
  );
  reply.hijack();
  serveEvents(reply.raw, headers, { keeper: parts.live.keeper, seat, follow });
  return reply;
}

/** @throws {AppError} `too_many_connections`, `shutting_down` */
export function takeSeat(
  { live, forwarding, health }: Pick<HttpParts, 'live' | 'forwarding' | 'health'>,
  request: FastifyRequest,
  transport: Transport,
): Seat {
  if (health.draining()) throw new AppError('shutting_down', 'The server is about to end.');
  const seat = live.keeper.admit(forwarding.addressOf(request.raw), transport);
  if (seat === null) throw new AppError('too_many_connections', 'There are too many live connections.');
  return seat;
}
