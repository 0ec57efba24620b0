/** What is about the server itself: health, and the API's description. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import { toDocumentOptions } from '../api-document.ts';
import { toReadinessBody } from '../../ops/health.ts';
import type { HttpApp, HttpParts } from '../parts.ts';

const parts = {
  ledger: Type.String({ description: '`ok`, or what is wrong with it.' }),
  log: Type.String({ description: 'The same of the ingest log, which is the broker where there is one.' }),
  board: Type.String({ description: 'The same of the tallies in memory.' }),
};
const Liveness = Type.Object(
  { status: Type.Literal('alive') },
  { description: 'The process lives.', examples: [{ status: 'alive' }] },
);
const Ready = Type.Object(
  { status: Type.Literal('ready'), ...parts },
  { description: 'It takes ballots.', examples: [{ status: 'ready', ledger: 'ok', log: 'ok', board: 'ok' }] },
);
const NotReady = Type.Object(
  {
    status: Type.Literal('not_ready'),
    reasons: Type.Array(Type.String(), { description: 'Why it takes none now, in words.' }),
    ...parts,
  },
  {
    description: 'It takes no ballots now.',
    examples: [
      {
        status: 'not_ready',
        reasons: ['The ledger did not answer within 2000 ms.'],
        ledger: 'The ledger did not answer within 2000 ms.',
        log: 'ok',
        board: 'ok',
      },
    ],
  },
);

/** Before the routes that it describes. */
export async function registerApiDescription(app: HttpApp): Promise<void> {
  await app.register(swagger, toDocumentOptions());
  await app.register(swaggerUi, { routePrefix: '/docs' });
  // Where frameworks of other languages have their second reference.
  app.get('/redoc', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs', 302));
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

export function registerServiceRoutes(app: HttpApp, { health }: Pick<HttpParts, 'health'>): void {
  const tags = ['service'];
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'readLiveness',
        summary: 'Whether the process lives',
        description: 'For a liveness probe: it asks neither the ledger nor the broker.',
        tags,
        answers: { 200: Liveness },
      },
    },
    (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'alive' }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readReadiness',
        summary: 'Whether it can take ballots now, and why not',
        description: 'For a readiness probe. It asks the ledger, and looks at the log and the board.',
        tags,
        answers: { 200: Ready, 503: NotReady },
      },
    },
    async (_request, reply) => {
      const readiness = await health.check();
      void reply.code(readiness.ready ? 200 : 503).header('cache-control', 'no-store');
      if (!readiness.ready) void reply.header('retry-after', 1);
      return toReadinessBody(readiness);
    },
  );
}
