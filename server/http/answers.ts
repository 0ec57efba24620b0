/**
 * What a route says of itself for the description of the API. Fastify reads none of it: nothing is checked, converted or copied by
 * these schemas at run time, and they are made into a document only when somebody asks for it (api-document.ts).
 */
import { Type, type TSchema } from 'typebox';
import type { ErrorCode } from '../errors.ts';

type Content = Readonly<Record<string, { readonly schema: TSchema; readonly example?: unknown }>>;

/** An answer of any media type. `headers` has what each header tells. */
export type Answer = {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, string>>;
};

/** By status. A schema alone is an answer in JSON, with the description and the example of the schema. */
export type Answers = Readonly<Record<number, TSchema | Answer>>;

declare module 'fastify' {
  interface FastifySchema {
    /** What it answers where it does what it was asked for; in contracts also the refusals in their own words. */
    readonly answers?: Answers;
    /** With what problems it refuses. */
    readonly refusals?: readonly ErrorCode[];
    /** Parts of the request that functions of ours read, in words of their own. */
    readonly reads?: {
      readonly body?: unknown;
      readonly params?: TSchema;
      readonly querystring?: TSchema;
      readonly headers?: TSchema;
    };
  }
}

export function answerOf(mediaType: string, schema: TSchema, description: string, example?: unknown): Answer {
  return { description, content: { [mediaType]: { schema, ...(example === undefined ? {} : { example }) } } };
}

/** A refusal of a contract that is no problem document. */
export function refusalOf(schema: TSchema, description: string, example: unknown): Answer {
  return answerOf('application/json', schema, description, example);
}

/** Without a body. */
export function emptyAnswer(description: string, headers: Answer['headers'] = {}): Answer {
  return { description, headers };
}

export function withHeaders(answer: TSchema | Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...toAnswer(answer), headers };
}

export function toAnswer(answer: TSchema | Answer): Answer {
  if (!isSchema(answer)) return answer;
  const { description, examples } = answer as { description?: string; examples?: readonly unknown[] }; // Annotations of JSON Schema.
  return answerOf('application/json', answer, description ?? '', examples?.[0]);
}

function isSchema(answer: TSchema | Answer): answer is TSchema {
  return '~kind' in answer;
}

/** What every route may meet that asks the ledger, or that has a query or parameters to read. */
const ofReading: readonly ErrorCode[] = ['request_malformed', 'ledger_unavailable', 'internal'];
/** The same where the path names a poll. */
const ofPoll: readonly ErrorCode[] = [...ofReading, 'poll_not_found'];

/** The refusals that groups of routes share. */
export const refusalsOf = {
  reading: ofReading,
  poll: ofPoll,
  body: ['body_too_large', 'media_type_unsupported', 'request_timeout'],
  manager: [...ofPoll, 'credential_missing', 'manage_key_wrong', 'origin_forbidden'],
  /** Of a ballot, apart from who casts it. */
  casting: ['poll_not_open', 'poll_closed', 'idempotency_key_reused'],
  /** Of a server that cannot take ballots now. */
  capacity: ['ingest_log_full', 'ingest_log_unavailable', 'ledger_unavailable', 'shutting_down', 'internal'],
} as const satisfies Record<string, readonly ErrorCode[]>;

/** Headers of requests that several routes read. */
const requestHeaders = {
  'Idempotency-Key':
    '1 to 255 printable ASCII characters that the client makes up for this one ballot. A retry with the same key gets the receipt of the first ' +
    'attempt, and counts once.',
  Prefer:
    '`wait=2`: where a broker takes the ballots, the answer waits up to so many seconds (at most 10) for the outcome.',
  'Last-Event-ID': 'The id of the last event that came. The snapshot is left out where nothing changed meanwhile.',
  'If-None-Match': 'The `ETag` of an earlier answer. Where it still stands, the answer is 304.',
} as const;
const examplesOfHeaders = {
  'Idempotency-Key': '6a1f0f2e-1d0b-4a53-9a63-0c8a3f5f2a11',
  Prefer: 'wait=2',
} as const;

/** For `reads`: none of them is required. */
export function readsHeaders(...names: readonly (keyof typeof requestHeaders)[]): TSchema {
  const described = names.map((name) => [
    name,
    Type.Optional(Type.String({ description: requestHeaders[name], ...toExamples(name) })),
  ]);
  return Type.Object(Object.fromEntries(described));
}

function toExamples(name: string): { examples?: string[] } {
  const [, example] = Object.entries(examplesOfHeaders).find(([each]) => each === name) ?? [];
  return example === undefined ? {} : { examples: [example] };
}
