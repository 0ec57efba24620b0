/** The description of the API is a valid one, tells of every route, and its page needs no other host. */
import { expect, test } from 'vitest';
import { get } from '../support/http.ts';
import { startTestServer } from '../support/server.ts';

type Schema = Readonly<Record<string, unknown>>;
type Content = Readonly<Record<string, { schema: Schema }>>;
type Operation = {
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
};
type Description = {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
};

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
    'nullable',
    'title',
  ],
]);
const jsonTypes = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);

/** Pages, their forms and pictures are for browsers: the description is of what programs use. */
function isPage(route: string): boolean {
  return / \/(?:docs|redoc|api\/v1\/openapi\.json|p|embed|j|join|r|favicon\.\w+|hustings-poll\.js|\*)(?:$|\/)/u.test(
    route,
  );
}

async function readDescription(): Promise<{ url: string; routes: string; description: Description }> {
  const server = await startTestServer();
  const { json } = await get(`${server.url}/api/v1/openapi.json`);
  return {
    url: server.url,
    routes: server.running.app.printRoutes({ commonPrefix: false }),
    description: json as Description,
  };
}

function operationsOf({ paths }: Description): [name: string, path: string, operation: Operation][] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): [string, string, Operation] => [
      `${method} ${path}`,
      path,
      operation,
    ]),
  );
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
  const { description } = await readDescription();
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
      // Contracts answer errors in shapes of their own.
      if (/^[45]/u.test(status) && !own.includes('contracts'))
        expect([name, Object.keys(answer.content ?? {})]).toEqual([name, ['application/problem+json']]);
    }
    for (const { content = {} } of [requestBody ?? { content: {} }, ...Object.values(responses)]) {
      for (const { schema } of Object.values(content)) expect(faultsOf(schema, name)).toEqual([]);
    }
  }
});

test('every route of the server is in the description, but for the page that shows it', async () => {
  const { routes, description } = await readDescription();
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
  const { url } = await readDescription();
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
