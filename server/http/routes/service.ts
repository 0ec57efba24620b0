/** What is about the server itself: health, the API's description, the front door. */
import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import { answers } from '../answers.ts';
import type { HttpApp, HttpParts } from '../parts.ts';
import { toHomePage } from '../home-page.ts';

const packageFile = new URL('../../../package.json', import.meta.url);

/** Before the routes that it describes. */
export async function registerApiDescription(app: HttpApp): Promise<void> {
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string }; // Our own file.
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hustings',
        version,
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
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

export function registerServiceRoutes(app: HttpApp, { health, results, polls }: HttpParts): void {
  const tags = ['service'];
  app.get('/', { schema: { summary: 'The home page, or for programs a sign of life', tags } }, (request, reply) => {
    void reply.header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '));
    if (!prefersHtml(request.headers.accept)) return reply.send({ status: 'healthy' });
    const open = [...polls.all()].filter((poll) => poll.listed && results.statusOf(poll) === 'open');
    return reply
      .type('text/html; charset=utf-8')
      .headers(pageHeaders)
      .send(toHomePage(open.sort((a, b) => b.pollNo - a.pollNo)));
  });
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
      return readiness.ready ? { status: 'ready' } : { status: 'not_ready', reasons: readiness.reasons };
    },
  );
}

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Browsers name text/html and prefer it; curl and load balancers accept anything, and programs name JSON. */
function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = qualityOf(accept, 'text/html');
  const json = qualityOf(accept, 'application/json');
  if (html !== json) return html > json;
  return html > 0 && accept.indexOf('text/html') < accept.indexOf('application/json');
}

/** How much the header wants this media type (RFC 9110, section 12.5.1); 0 where it does not name it. */
function qualityOf(accept: string, mediaType: string): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== mediaType) continue;
    const quality = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? 1);
    return Number.isFinite(quality) ? quality : 0;
  }
  return 0;
}
