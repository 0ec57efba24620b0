/** The HTTP server: every route, and what holds for all of them. */
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import { AppError } from '../errors.ts';
import { toQuickId } from '../lib/quick-id.ts';
import { createAllowedMethods } from './allowed-methods.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { parseJson } from './json-body.ts';
import type { HttpApp, HttpOptions, HttpParts } from './parts.ts';
import { prefersHtml } from './preferences.ts';
import { answerProblem, answerProblemPage } from './problem.ts';
import { watchConnections, type Traffic } from './quiet-stop.ts';
import { registerBallotRoutes } from './routes/ballots.ts';
import { registerBatchRoute } from './routes/batch.ts';
import { registerLiveRoutes } from './routes/live.ts';
import { registerPollEndRoutes } from './routes/poll-end.ts';
import { registerPollRoutes } from './routes/polls.ts';
import { registerApiDescription, registerServiceRoutes } from './routes/service.ts';
import { registerTallyRoutes } from './routes/tally.ts';
import { validatorCompiler } from './validation.ts';

/** An interface of another voting system: its routes, and the paths that pages of any origin may call. */
export type Contract = {
  readonly register: (app: HttpApp, parts: HttpParts) => void | Promise<void>;
  readonly openToAnyOrigin: RegExp | null;
};

export type HttpServer = { readonly app: HttpApp } & Pick<Traffic, 'requestCount' | 'connections'>;

const keepAliveTimeoutMs = 65_000;
/** As long as a request line may be: an overlong id is an unknown one, and the routes say so. */
const paramCharsMax = 16_384;

/** A server without routes: the limits, and how it answers what cannot be answered. */
export function createBareApp(parts: HttpParts, options: HttpOptions): HttpServer {
  const app = Fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: toQuickId,
    bodyLimit: options.bodyBytesMax,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: {
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: 1_000,
      // Whoever offers another protocol, as clients of HTTP/2 do, is answered by this one (RFC 9110, section 7.8).
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, reply),
    routerOptions: { maxParamLength: paramCharsMax },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: parts.forwarding.trusts ?? false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(answerProblem);
  useJson(app);
  useMethodTable(app, parts);
  if (parts.requestMeter !== null) {
    app.addHook('onRoute', parts.requestMeter.onRoute).addHook('onResponse', parts.requestMeter.onResponse);
  }
  return { app, requestCount: useRequestIds(app, parts), connections: watchConnections(app.server) };
}

export async function createHttpApp(
  parts: HttpParts,
  options: HttpOptions,
  contracts: readonly Contract[],
): Promise<HttpServer> {
  const bare = createBareApp(parts, options);
  const { app } = bare;
  await useCors(app, options.corsOrigins, contracts);
  await registerApiDescription(app);
  registerServiceRoutes(app, parts);
  registerPollRoutes(app, parts, options);
  registerPollEndRoutes(app, parts);
  registerBallotRoutes(app, parts);
  registerBatchRoute(app, parts, options);
  registerTallyRoutes(app, parts);
  registerLiveRoutes(app, parts, options);
  for (const { register, openToAnyOrigin } of contracts) {
    app.register(async (contractApp) => {
      if (openToAnyOrigin !== null && options.corsOrigins.length === 0) {
        await allowOrigins(contractApp, (path) => (openToAnyOrigin.test(path) ? '*' : false));
      }
      await register(contractApp, parts);
    });
  }
  parts.live.upgrades.listenTo(app.server);
  return bare;
}

/** Plain JSON.parse: the schemas refuse unknown members, `__proto__` among them, so nothing needs a second scan. */
function useJson(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      // A step such as "close" needs no body, whatever the client says of its type.
      done(null, body.length === 0 ? null : parseJson(body));
    } catch (cause) {
      done(new AppError('request_malformed', 'The body is not JSON.', { cause }));
    }
  });
}

/** 405 with `Allow` for a path that exists, 404 for one that does not. Must stand before the routes. */
function useMethodTable(app: HttpApp, { pages }: Pick<HttpParts, 'pages'>): void {
  const allowed = createAllowedMethods();
  app.addHook('onRoute', ({ method, url }) => {
    // `*` is where CORS answers preflights: it stands at every path and makes none exist.
    if (url !== '*') allowed.add(method, url);
  });
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed.of(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0) {
      const error = new AppError('route_not_found', 'There is nothing at this address.');
      return prefersHtml(request.headers.accept)
        ? answerProblemPage({ pages }, error, request, reply)
        : answerProblem(error, request, reply);
    }
    void reply.header('allow', methods.join(', '));
    return answerProblem(
      new AppError('method_not_allowed', `This address takes ${methods.join(', ')}.`),
      request,
      reply,
    );
  });
}

/**
 * What a request says of where it comes from is settled before anything reads it. Every answer names its request, and ends its
 * connection when the server drains. Answers how many requests have come.
 */
function useRequestIds(app: HttpApp, { health, forwarding }: HttpParts): () => number {
  let count = 0;
  app.addHook('onRequest', (request, reply, done) => {
    count += 1;
    forwarding.settle(request.raw);
    void reply.header('request-id', request.id);
    if (health.draining()) void reply.header('connection', 'close');
    done();
  });
  return () => count;
}

/**
 * Without configured origins only the contracts that are open to every origin look at requests for it,
 * each within its own routes, so that the others pay nothing.
 */
async function useCors(
  app: HttpApp,
  corsOrigins: HttpOptions['corsOrigins'],
  contracts: readonly Contract[],
): Promise<void> {
  if (corsOrigins.length === 0) return;
  const configured = corsOrigins === '*' ? corsOrigins : [...corsOrigins];
  const open = contracts.flatMap(({ openToAnyOrigin }) => openToAnyOrigin ?? []);
  await allowOrigins(app, (path) => (open.some((pattern) => pattern.test(path)) ? '*' : configured));
}

async function allowOrigins(app: HttpApp, originsOf: (path: string) => '*' | string[] | false): Promise<void> {
  const exposedHeaders = ['Location', 'Request-Id', 'Retry-After', 'ETag'];
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
  await app.register(cors, {
    delegator: (request, done) => {
      const path = request.url?.split('?', 1)[0] ?? '';
      done(null, { origin: originsOf(path), methods, exposedHeaders, maxAge: 600, strictPreflight: false });
    },
  });
}
