/**
 * The description of the API: what all routes share is said here, once. It is made when it is first asked for, from what the routes
 * say of themselves (answers.ts).
 */
import type { FastifySchema } from 'fastify';
import type { SwaggerOptions } from '@fastify/swagger';
import { Problem } from '../../protocol/problem.ts';
import { AppError, errors, type ErrorCode } from '../errors.ts';
import { readVersion } from '../lib/version.ts';
import { toAnswer, type Answer } from './answers.ts';
import { toProblem } from './problem.ts';

type Json = Record<string, unknown>;
type Response = { description?: string; headers?: Json; content?: Json };
type Operation = {
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> };
  [other: string]: unknown;
};

/** Where a route's refusals wait until the document has the examples that they refer to. */
const refusalsKey = 'x-refusals';
const problemMediaType = 'application/problem+json';

const about = `A self-hosted voting server. Every address stands below, but for the WebSocket at \`/api/v1/live\` and the pages; docs/protocol.md tells of them.

- **Polls** are named by their id or their slug. Whoever makes one is shown its manage key once, and sends it as \`Manage-Key\` to change it.
- **Ballots** that were answered with 201 or 202 count. Send each with an \`Idempotency-Key\` of its own: then it can be sent again, and counts once.
- **Refusals** are \`application/problem+json\` (RFC 9457) with a \`code\`, all of which stand in docs/errors.md, and with \`recorded\`, which says whether the ballot is in the ledger. The routes of other voting systems, under *contracts*, refuse in the shapes of those.
- **Times** are RFC 3339 in UTC.
- Any address may answer 400 to what is no HTTP, 404 \`route_not_found\`, 405 \`method_not_allowed\` with \`Allow\`, 408 \`request_timeout\` and 500 \`internal\`.`;

const securitySchemes = {
  manageKey: {
    type: 'apiKey',
    in: 'header',
    name: 'Manage-Key',
    description: 'The key of one poll. It is in the answer to who makes the poll, and nowhere else.',
  },
  manageCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'manages',
    description:
      'The same for pages of this server, from `POST /api/v1/polls/{poll}/manage-session`. Over HTTPS its name is `__Host-manages`.',
  },
  createKey: {
    type: 'apiKey',
    in: 'header',
    name: 'Create-Key',
    description: 'Only where the server was started with `--create-key`: it lets its holders make polls.',
  },
  voterToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A signed token of the voter, in polls whose electorate is `token`. `hustings token` makes some to try.',
  },
  voterCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'voter_id',
    description:
      'A browser as a voter, in polls whose electorate is `cookie`. The first ballot of a browser sets it, whatever the answer. Over HTTPS its name is `__Host-voter_id`.',
  },
} as const;

/** For `security` of a route: any one of them serves, `{}` stands for none. */
export const securityOf = {
  manager: [{ manageKey: [] }, { manageCookie: [] }],
  voter: [{}, { voterCookie: [] }, { voterToken: [] }],
  creator: [{}, { createKey: [] }],
  /** Who may see what a poll hides. */
  viewer: [{}, { voterCookie: [] }, { manageKey: [] }, { manageCookie: [] }],
} satisfies Record<string, FastifySchema['security']>;

const headers = {
  'Request-Id': text('The id under which the log of the server tells of this request.'),
  'Retry-After': {
    ...text('After how many seconds to send the request again.'),
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': text(
    '`Bearer`; outside the contracts with `error="invalid_token"` where a token came and is not valid.',
  ),
};

function text(description: string): { description: string; schema: Json } {
  return { description, schema: { type: 'string' } };
}

export function toDocumentOptions(): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hustings',
        version: readVersion(),
        description: about,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [
        { name: 'polls', description: 'Make, show and change polls' },
        { name: 'ballots', description: 'Cast ballots, and ask what became of them' },
        { name: 'tallies', description: 'Read results, once or as they come' },
        { name: 'contracts', description: 'Interfaces of other voting systems, as their clients know them' },
        { name: 'service', description: 'The server itself' },
      ],
      components: { securitySchemes },
    },
    transform: ({ schema, url }) => ({ schema: toPlainSchema(schema), url }),
    transformObject: (document) =>
      'openapiObject' in document ? finish(document.openapiObject) : document.swaggerObject,
  };
}

/** What the routes say in words of ours, in those of the plugin. */
function toPlainSchema(schema: FastifySchema | undefined): FastifySchema {
  const { answers = {}, refusals = [], reads = {}, ...rest } = schema ?? {};
  const response = Object.entries(answers).map(([status, answer]) => [status, toResponse(toAnswer(answer))]);
  const security = rest.security ?? [];
  return {
    ...rest,
    ...reads,
    security,
    response: Object.fromEntries(response),
    [refusalsKey]: refusals,
  } as FastifySchema; // With an extension.
}

function toResponse({ description, content, headers: told = {} }: Answer): Json {
  const described = Object.entries(told).map(([name, meaning]) => [name, { type: 'string', description: meaning }]);
  return {
    description,
    headers: Object.fromEntries(described),
    ...(content === undefined ? { type: 'null' } : { content }),
  };
}

function finish(document: Json): Json {
  const { paths, components } = document as { paths: Record<string, Record<string, Operation>>; components: Json };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const codes = new Set(operations.flatMap((operation) => finishOperation(operation)));
  const schemas: Json = { Problem: toJson(Problem) };
  const short = shorten(paths, schemas);
  const examples = Object.fromEntries([...codes].sort().map((code) => [code, toExample(code)]));
  return { ...document, paths: short, components: { ...components, schemas, headers, examples } };
}

/** Answers the codes with which the operation may refuse. */
function finishOperation(operation: Operation): readonly ErrorCode[] {
  const { [refusalsKey]: refusals, requestBody, ...others } = operation;
  const codes = refusals as readonly ErrorCode[]; // As toPlainSchema put them there.
  const byStatus = others['responses'] as Record<string, Response>; // As OpenAPI has it.
  delete operation[refusalsKey];
  for (const [status, group] of Map.groupBy(new Set(codes), (code) => errors[code].status)) {
    byStatus[status] = withProblems(byStatus[status], group);
  }
  for (const [status, response] of Object.entries(byStatus)) response.headers = headersOf(status, response);
  if (requestBody !== undefined) loosenBody(requestBody);
  return codes;
}

/** The same answer, which may also be one of these problems. */
function withProblems(response: Response = {}, codes: readonly ErrorCode[]): Response {
  const words = codes.map((code) => `\`${code}\`: ${errors[code].title}.`);
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    ...response,
    description: [response.description ?? [], ...words].flat().join(' '),
    content: { ...response.content, [problemMediaType]: { schema: toJson(Problem), examples } },
  };
}

function headersOf(status: string, { headers: own }: Response): Json {
  const names = [
    'Request-Id',
    ...(/^(?:429|503)$/u.test(status) ? ['Retry-After'] : []),
    ...(status === '401' ? ['WWW-Authenticate'] : []),
  ];
  return { ...own, ...Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

/** A body that may be null may be left out, and nobody need send null. */
function loosenBody(body: NonNullable<Operation['requestBody']>): void {
  for (const media of Object.values(body.content)) {
    const { anyOf, ...others } = media.schema;
    if (!Array.isArray(anyOf)) continue;
    const [only, ...more] = anyOf.filter((each: Json) => each['type'] !== 'null');
    if (more.length > 0 || only === undefined) continue;
    body.required = false;
    media.schema = { ...others, ...only };
  }
}

function toExample(code: ErrorCode): Json {
  const { title, meaning } = errors[code];
  return { summary: title, value: toProblem(new AppError(code, meaning), '4f1Zt8Qd0001') };
}

function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json; // Schemas are plain data.
}

/** Schemas with a title move to `named`, and references to them take their places. Their examples stand beside them, as they are. */
function shorten(value: unknown, named: Json): unknown {
  if (Array.isArray(value)) return value.map((each) => shorten(each, named));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [
    key,
    /^examples?$/u.test(key) ? member : shorten(member, named),
  ]);
  const { examples: _examples, ...short }: Json = Object.fromEntries(members);
  if (!('type' in short || 'anyOf' in short)) return Object.fromEntries(members);
  const { title } = short;
  if (typeof title !== 'string') return short;
  named[title] = short;
  return { $ref: `#/components/schemas/${title}` };
}
