import { Type, type TSchema } from 'typebox';
import { expect, test } from 'vitest';
import { createCheck, validatorCompiler } from './validation.ts';

const Pair = Type.Object(
  { left: Type.String({ minLength: 1 }), right: Type.Optional(Type.Integer({ maximum: 9 })) },
  { additionalProperties: false },
);

/** What the compiled check of a part of the request says. */
function validate(schema: TSchema, httpPart: string, value: unknown): unknown {
  return validatorCompiler({ schema, method: 'GET', url: '/', httpPart })(value);
}

test('a value of the schema is not refused', () => {
  expect(createCheck(Pair)({ left: 'a', right: 9 })).toBeNull();
});

test.for<[value: unknown, pointer: string, rule: string]>([
  [{}, '/left', 'required'],
  [{ left: '' }, '/left', 'min_length'],
  [{ left: 1 }, '/left', 'type'],
  [{ left: 'a', right: 10 }, '/right', 'maximum'],
  [{ left: 'a', 'x/y~z': 1 }, '/x~1y~0z', 'additional_properties'],
  [null, '', 'type'],
])('%j is refused by name: %s %s', ([value, pointer, rule]) => {
  expect(createCheck(Pair)(value)).toMatchObject({
    code: 'request_malformed',
    recorded: 'no',
    violations: [{ pointer, rule }],
  });
});

test('a value with many faults names ten at most', () => {
  const values = Array.from({ length: 50 }, () => 1);
  const violations = createCheck(Type.Array(Type.String()))(values)?.violations ?? [];
  expect(violations[0]).toEqual({ pointer: '/0', rule: 'type' });
  expect(violations.length).toBeLessThanOrEqual(10);
});

const Query = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  before: Type.Optional(Type.String()),
});

test('a query is filled with defaults, and its numbers are read', () => {
  expect(validate(Query, 'querystring', {})).toEqual({ value: { limit: 20 } });
  expect(validate(Query, 'querystring', { limit: '7', before: '7' })).toEqual({ value: { limit: 7, before: '7' } });
});

test.for(['', ' ', 'x', '1.5', '0', '101', ['1', '2']])('the limit %j is refused', (limit) => {
  expect(validate(Query, 'querystring', { limit })).toMatchObject({ error: { code: 'request_malformed' } });
});

test('the query that was given stays as it was', () => {
  const given = { limit: '7' };
  validate(Query, 'querystring', given);
  expect(given).toEqual({ limit: '7' });
});

test('a body is checked as it came, and neither filled nor read', () => {
  expect(validate(Query, 'body', { limit: '7' })).toMatchObject({ error: { violations: [{ pointer: '/limit' }] } });
  expect(validate(Query, 'body', {})).toMatchObject({ error: { violations: [{ pointer: '/limit' }] } });
});

test('parameters and headers are left to those who read them', () => {
  for (const part of ['params', 'headers']) expect(validate(Pair, part, { other: 1 })).toEqual({ value: { other: 1 } });
});
