/** What is about the server itself: health, and the API's description. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import { answers } from '../answers.ts';
import { readVersion } from '../../lib/version.ts';
import { toReadinessBody } from '../../ops/health.ts';
import type { HttpApp, HttpParts } from '../parts.ts';

/** Before the routes that it describes. */
export async function registerApiDescription(app: HttpApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hustings',
        version: readVersion(),
        description:
          'A self-hosted voting server. Errors are `application/problem+json`; every code stands in docs/errors.md.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'polls', description: 'Make, show and change polls' },
        { name: 'ballots', description: 'Cast ballots' },
        { name: 'tallies', description: 'Read results' },
        { name: 'contracts', description: 'Interfaces of other voting systems' },
        { name: 'service', description: 'The server itself' },
      ],
    },
  });
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
        summary: 'Whether the process lives',
        tags,
        response: answers({ 200: Type.Object({ status: Type.Literal('alive') }) }),
      },
    },
    (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'alive' }),
  );
  app.get(
    '/readyz',
    { schema: { summary: 'Whether it can take ballots now, and why not', tags } },
    async (_request, reply) => {
      const readiness = await health.check();
      void reply.code(readiness.ready ? 200 : 503).header('cache-control', 'no-store');
      if (!readiness.ready) void reply.header('retry-after', 1);
      return toReadinessBody(readiness);
    },
  );
}
