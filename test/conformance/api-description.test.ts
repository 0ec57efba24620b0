/** The description of the API is a valid one, tells of every route, and its page needs no other host. */
import { expect, test } from 'vitest';
import {
  misfitsOf,
  operationsOf,
  readDescription,
  type Content,
  type Description,
  type Operation,
  type Schema,
} from '../support/api-description.ts';
import { get } from '../support/http.ts';
import { startTestServer } from '../support/server.ts';

const schemaKeywords = new Set([
  ...[
    'type',
    'const',
    'enum',
    'anyOf',
    'items',
    'properties',
    'required',
    'additionalProperties',
    'description',
    'default',
  ],
  ...[
    'minLength',
    'maxLength',
    'pattern',
    'minimum',
    'maximum',
    'minItems',
    'maxItems',
    'minProperties',
    'title',
    'contentMediaType',
  ],
]);
const jsonTypes = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);

/** Pages, their forms and pictures are for browsers: the description is of what programs use. */
function isPage(route: string): boolean {
  return / \/(?:docs|redoc|api\/v1\/openapi\.json|assets|p|embed|j|join|r|favicon\.\w+|hustings-poll\.js|\*)(?:$|\/)/u.test(
    route,
  );
}

async function startDescribed(...flags: string[]): Promise<{ url: string; routes: string; description: Description }> {
  const server = await startTestServer(...flags);
  return {
    url: server.url,
    routes: server.running.app.printRoutes({ commonPrefix: false }),
    description: await readDescription(server.url),
  };
}

/** Places in a schema that are no JSON Schema as OpenAPI 3.1 takes it. */
function faultsOf(schema: unknown, place: string): string[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [`${place} is no schema`];
  const { type, properties, items, anyOf, required, pattern } = schema as Schema;
  const faults = Object.keys(schema).flatMap((keyword) =>
    schemaKeywords.has(keyword) ? [] : [`${place} has ${keyword}`],
  );
  if (type !== undefined && !jsonTypes.has(String(type))) faults.push(`${place} is of type ${String(type)}`);
  if (typeof pattern === 'string') new RegExp(pattern, 'u');
  const names = Object.keys(properties ?? {});
  if (Array.isArray(required))
    faults.push(
      ...required.flatMap((name) => (names.includes(String(name)) ? [] : [`${place} lacks ${String(name)}`])),
    );
  const parts: [string, unknown][] = [
    ...Object.entries(properties ?? {}),
    ...(items === undefined ? [] : [['items', items] as [string, unknown]]),
    ...(Array.isArray(anyOf) ? anyOf.map((part, index): [string, unknown] => [String(index), part]) : []),
  ];
  return [...faults, ...parts.flatMap(([name, part]) => faultsOf(part, `${place}/${name}`))];
}

test('the description is OpenAPI 3.1: every operation has its parameters, tags, answers and sound schemas', async () => {
  const { description } = await startDescribed();
  expect(description.openapi).toBe('3.1.0');
  expect(description.info).toMatchObject({ title: 'Hustings', version: expect.stringMatching(/^\d+\.\d+\.\d+/u) });
  const tags = description.tags.map(({ name }) => name);
  for (const [name, path, { summary, tags: own = [], parameters = [], requestBody, responses }] of operationsOf(
    description,
  )) {
    expect([name, summary]).toEqual([name, expect.stringMatching(/^[A-Z].*[^.]$/u)]);
    expect([name, own.length > 0 && own.every((tag) => tags.includes(tag))]).toEqual([name, true]);
    const inPath = [...path.matchAll(/\{(\w+)\}/gu)].map((match) => match[1]);
    expect([name, parameters.filter((each) => each.in === 'path').map((each) => each.name)]).toEqual([name, inPath]);
    for (const parameter of parameters) {
      expect(['path', 'query', 'header']).toContain(parameter.in);
      expect([name, parameter.name, parameter.required === true && 'default' in parameter.schema]).toEqual([
        name,
        parameter.name,
        false,
      ]);
      expect(faultsOf(parameter.schema, `${name} ${parameter.name}`)).toEqual([]);
    }
    expect(Object.keys(responses).length).toBeGreaterThan(0);
    for (const [status, answer] of Object.entries(responses)) {
      expect(status).toMatch(/^(?:[1-5]\d\d|[45]XX)$/u);
      expect([name, answer.description]).toEqual([name, expect.stringMatching(/./u)]);
      // Contracts and pages answer errors in shapes of their own.
      if (/^[45]/u.test(status) && path.startsWith('/api/v1/') && !own.includes('contracts'))
        expect([name, Object.keys(answer.content ?? {})]).toEqual([name, ['application/problem+json']]);
    }
    for (const { content = {} } of [requestBody ?? { content: {} }, ...Object.values(responses)]) {
      for (const { schema } of Object.values(content)) expect(faultsOf(schema, name)).toEqual([]);
    }
  }
});

test.for(['features', 'duel'])(
  'with the preset %s every route has a name of its own, answers, and for each status a shape, its headers and an example that fits',
  async (preset) => {
    const flags = preset === 'duel' ? ['--results-port', '0'] : [];
    const { description } = await startDescribed('--preset', preset, ...flags);
    const operations = operationsOf(description);
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect([new Set(ids).size, ids.includes(undefined)]).toEqual([operations.length, false]);
    const lacking = operations.flatMap(([name, , operation]) => lacksOf(operation).map((lack) => `${name} ${lack}`));
    expect(lacking).toEqual([]);
  },
);

/** What a developer would miss. Pages are shown, not read, so they need no example. */
function lacksOf({ responses, requestBody, security = [] }: Operation): string[] {
  const contents = Object.entries(responses).flatMap(([status, { content = {}, headers = {} }]) => [
    ...(/^(?:204|303|304)$/u.test(status) || Object.keys(content).length > 0 ? [] : [`${status} has no shape`]),
    ...('Request-Id' in headers ? [] : [`${status} has no Request-Id`]),
    ...(/^(?:429|503)$/u.test(status) && !('Retry-After' in headers) ? [`${status} has no Retry-After`] : []),
    ...(status === '401' && !('WWW-Authenticate' in headers) ? ['401 has no WWW-Authenticate'] : []),
    ...exampleLacks(status, content),
  ]);
  const named = Object.keys(responses).some((status) => status.startsWith('2') || status === '303');
  return [
    ...contents,
    ...(named ? [] : ['tells of no success']),
    ...exampleLacks('body', requestBody?.content ?? {}),
    ...('401' in responses && security.length === 0 && !isSelfEvident(responses) ? ['names no security'] : []),
  ];
}

/** Whose 401 asks for what the body states, as `userId` and `token` of a batch. */
function isSelfEvident(responses: Operation['responses']): boolean {
  const codes = Object.keys(responses['401']?.content?.['application/problem+json']?.examples ?? {});
  return codes.join() === 'credential_missing';
}

function exampleLacks(place: string, content: Content): string[] {
  return Object.entries(content).flatMap(([mediaType, { schema, example, examples = {} }]) => {
    const values = example === undefined ? Object.values(examples).map(({ value }) => value) : [example];
    if (values.length === 0 && !/^(?:text\/html|image\/)/u.test(mediaType))
      return [`${place} ${mediaType} has no example`];
    return values.flatMap((value) =>
      misfitsOf(schema, value).map((misfit) => `${place} ${mediaType} example: ${misfit}`),
    );
  });
}

test('every route of the server is in the description, but for the page that shows it', async () => {
  const { routes, description } = await startDescribed();
  const served = toRoutes(routes).filter((route) => !isPage(route));
  const described = operationsOf(description).map(([name]) => name.replaceAll(/\{(\w+)\}/gu, ':$1'));
  expect(served.length).toBeGreaterThan(20);
  expect(described.sort()).toEqual(served.sort());
});

/** From the tree that Fastify draws to `get /path` for each of its leaves. */
function toRoutes(tree: string): string[] {
  const prefixes: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^(.*)[├└]── (\S+) \(([A-Z, ]+)\)$/u.exec(line) ?? [];
    prefixes.splice(indent.length / 4);
    prefixes.push(part);
    const taken = methods.split(', ').filter((method) => /^(?:GET|POST|PUT|PATCH|DELETE)$/u.test(method));
    return taken.map((method) => `${method.toLowerCase()} ${prefixes.join('')}`);
  });
}

test('no file of the API page asks another host for anything', async () => {
  const { url } = await startDescribed();
  for (const path of ['/docs', '/docs/']) {
    const page = await get(`${url}${path}`);
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/gu)].map(
      (match) => new URL(match[1] ?? '', `${url}/docs/`),
    );
    expect(assets.map(({ pathname }) => pathname)).toEqual(
      expect.arrayContaining(['/docs/static/swagger-ui-bundle.js', '/docs/static/swagger-ui.css']),
    );
    for (const asset of assets) {
      expect(asset.origin).toBe(url);
      const { status, text } = await get(asset.href);
      expect([asset.pathname, status]).toEqual([asset.pathname, 200]);
      if (asset.pathname.endsWith('.css')) {
        const named = [...text.matchAll(/url\(["']?([^"')]+)/gu)].map((match) => match[1] ?? '');
        expect(named.filter((target) => !target.startsWith('data:') && !target.startsWith('#'))).toEqual([]);
        expect(text).not.toMatch(/@import/u);
      }
    }
    const starts = assets.find(({ pathname }) => pathname.endsWith('swagger-initializer.js'));
    const script = (await get(starts?.href ?? '')).text;
    expect(script).toMatch(/validatorUrl: null/u);
    expect(script.replaceAll(/^\s*\/\/.*$/gmu, '')).not.toMatch(/https?:\/\//u);
  }
});
