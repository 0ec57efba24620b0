/** The API's description as tests read it: references followed, and answers of a real server held against it. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { get, send, type Answer } from './http.ts';

export type Schema = Readonly<Record<string, unknown>>;
export type Media = {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { value: unknown }>>;
};
export type Content = Readonly<Record<string, Media>>;
export type Described = {
  readonly description?: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, { schema: Schema }>>;
};
export type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: string[];
  readonly security?: Readonly<Record<string, string[]>>[];
  readonly parameters?: { name: string; in: string; required?: boolean; schema: Schema; example?: unknown }[];
  readonly requestBody?: { required?: boolean; content: Content };
  readonly responses: Readonly<Record<string, Described>>;
};
export type Description = {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly tags: { name: string }[];
  readonly components: { securitySchemes: Readonly<Record<string, object>>; schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

export async function readDescription(serverUrl: string): Promise<Description> {
  const { json } = await get(`${serverUrl}/api/v1/openapi.json`);
  return follow(json, json) as Description; // What is not of this shape fails the tests that read it.
}

/** With what references lead to in their places. */
function follow(value: unknown, root: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => follow(each, root));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) return follow(find(root, String(value.$ref)), root);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, follow(member, root)]));
}

function find(root: unknown, reference: string): unknown {
  const names = reference.replace(/^#\//u, '').split('/');
  return names.reduce<unknown>((value, name) => {
    if (typeof value === 'object' && value !== null && name in value)
      return Object.entries(value).find(([key]) => key === name)?.[1];
    throw new Error(`${reference} leads nowhere.`);
  }, root);
}

/** Each as `get /path`. */
export function operationsOf({ paths }: Description): [name: string, path: string, operation: Operation][] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): [string, string, Operation] => [
      `${method} ${path}`,
      path,
      operation,
    ]),
  );
}

const ajv = new Ajv2020({ strict: false, allErrors: true });

/** What is wrong with a value, in words; empty for one that fits. Members that the schema does not name are wrong, too. */
export function misfitsOf(schema: Schema, value: unknown): string[] {
  const validate = ajv.compile(close(schema) as Schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, close(member)]));
  return 'properties' in closed && 'type' in closed && !('additionalProperties' in closed)
    ? { ...closed, additionalProperties: false }
    : closed;
}

const headersOfInterest = [
  'location',
  'etag',
  'retry-after',
  'set-cookie',
  'www-authenticate',
  'preference-applied',
  'content-disposition',
];
/** Described ones that not every answer has. */
const sometimes = new Set(['set-cookie', 'preference-applied', 'vary']);

/** Where an answer differs from what is described for its operation. */
export function differencesFrom(operation: Operation, { status, headers, text, json }: Answer): string[] {
  const described = operation.responses[String(status)];
  if (described === undefined) return [`${status} is not described: ${text}`];
  const names = Object.keys(described.headers ?? {}).map((name) => name.toLowerCase());
  return [
    ...headersOfInterest
      .filter((name) => headers.has(name) && !names.includes(name))
      .map((name) => `${name} is not described`),
    ...names.filter((name) => !sometimes.has(name) && !headers.has(name)).map((name) => `${name} is missing`),
    ...bodyDifferences(described.content ?? {}, {
      mediaType: headers.get('content-type')?.split(';', 1)[0] ?? null,
      text,
      json,
    }),
  ];
}

type Body = Pick<Answer, 'text' | 'json'> & { readonly mediaType: string | null };

function bodyDifferences(content: Content, { mediaType, text, json }: Body): string[] {
  if (Object.keys(content).length === 0) return text === '' ? [] : [`a body came: ${text}`];
  const media = mediaType === null ? undefined : content[mediaType];
  if (media === undefined) return [`${mediaType} is not described`];
  return misfitsOf(media.schema, mediaType?.endsWith('json') === true && !mediaType.endsWith('ndjson') ? json : text);
}

export type Call = {
  /** As `get /path/{parameter}`. */
  readonly operation: string;
  /** In place of the path of the operation. */
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

/** Asks a server, and remembers what its answers differ in from the description. */
export async function createAsking(serverUrl: string) {
  const operations = new Map(
    operationsOf(await readDescription(serverUrl)).map(([name, , operation]) => [name, operation]),
  );
  const seen = new Set<string>();
  const differences: string[] = [];

  return {
    /** What was answered, each as `get /path 200`. */
    seen,
    differences,
    async ask({ operation: name, path, body, headers = {} }: Call): Promise<Answer> {
      const operation = operations.get(name);
      if (operation === undefined) throw new Error(`${name} is not described.`);
      const [method = '', template = ''] = name.split(' ');
      const answer = await send(method.toUpperCase(), `${serverUrl}${path ?? template}`, body, headers);
      seen.add(`${name} ${answer.status}`);
      const wrong = differencesFrom(operation, answer);
      const schema = operation.requestBody?.content['application/json']?.schema;
      // What was taken must be something that the description lets clients send.
      if (answer.status < 300 && body !== undefined && schema !== undefined && typeof body !== 'string') {
        wrong.push(...misfitsOf(schema, body).map((misfit) => `the request: ${misfit}`));
      }
      differences.push(...wrong.map((difference) => `${name} ${answer.status}: ${difference}`));
      return answer;
    },
    /** Statuses that are described for these operations and that no answer has had. */
    unseen(names: readonly string[]): string[] {
      return names
        .flatMap((name) => Object.keys(operations.get(name)?.responses ?? {}).map((status) => `${name} ${status}`))
        .filter((answer) => !seen.has(answer));
    },
  };
}

export type Asking = Awaited<ReturnType<typeof createAsking>>;
