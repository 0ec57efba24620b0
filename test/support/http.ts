/** Requests as tests send them, with the answer read to its end. */

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
};

export async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

export const get = (url: string, headers?: Record<string, string>): Promise<Answer> =>
  send('GET', url, undefined, headers);
export const post = (url: string, body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  send('POST', url, body, headers);

export type TestPoll = { id: string; slug: string; joinCode: string; manageKey: string; options: { id: string }[] };

export type TestReceipt = { ballotId: string; pollId: string; castAt: string; version: number | null };

/** A poll with two options and the electorate `declared`, unless the fields say otherwise. */
export async function createPoll(serverUrl: string, fields: object = {}): Promise<TestPoll> {
  const body = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'], electorate: 'declared', ...fields };
  const answer = await post(`${serverUrl}/api/v1/polls`, body);
  if (answer.status !== 201) throw new Error(`No poll was made: ${answer.text}`);
  return answer.json as TestPoll; // The shape is what the tests of the API check.
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Bodies that no route may accept and none may stumble over. */
export const hostileBodies: readonly (readonly [name: string, body: string])[] = [
  ['text that is no JSON', '{'],
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '7'],
  ['a list', '[1,2,3]'],
  ['a text', '"hello"'],
  ['deep nesting', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ['a prototype', '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}'],
  ['one megabyte of text', JSON.stringify({ question: 'x'.repeat(1_000_000), feature_id: 'x'.repeat(1_000_000) })],
  [
    'a NUL byte in a text',
    String.raw`{"question":"a\u0000b","options":["a\u0000","b"],"feature_id":"\u0000","user_id":"\u0000"}`,
  ],
  [
    'a lone surrogate',
    String.raw`{"question":"\ud800","options":["\ud800","b"],"feature_id":"\udfff","user_id":"\ud800"}`,
  ],
  ['numbers out of range', '{"feature_id":1e400,"question":1e400,"options":1e400,"selections":[1e400]}'],
];
