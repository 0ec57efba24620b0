/** Schemas as checks: compiled by TypeBox when a route is first asked, which keeps the start quick. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError, type Violation } from '../errors.ts';

const violationsMax = 10;

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Parameters and headers are read by functions of ours that refuse in their own words: their schemas only describe them.
  if (httpPart === 'params' || httpPart === 'headers') return (value: unknown) => ({ value });
  const check = createCheck(schema);
  const fillIn = httpPart === 'querystring' ? createFillIn(schema) : null;
  return (data: unknown) => {
    const value = fillIn === null ? data : fillIn(data);
    const refused = check(value);
    return refused === null ? { value } : { error: refused };
  };
};

const decimal = /^-?\d+(?:\.\d+)?$/u;

type Parameter = { readonly name: string; readonly isNumber: boolean; readonly otherwise: unknown };

/** A query arrives as text: numbers are read where the schema wants them, and defaults stand in for what is missing. */
function createFillIn(schema: TSchema): (query: unknown) => object {
  const properties: Readonly<Record<string, { type?: string; default?: unknown }>> =
    'properties' in schema && typeof schema.properties === 'object' ? { ...schema.properties } : {};
  const parameters: Parameter[] = Object.entries(properties).map(([name, property]) => ({
    name,
    isNumber: property.type === 'integer' || property.type === 'number',
    otherwise: property.default,
  }));
  return (query) => {
    const filled: Record<string, unknown> = { ...(typeof query === 'object' ? query : null) };
    for (const { name, isNumber, otherwise } of parameters) {
      const given = filled[name];
      if (given === undefined && otherwise !== undefined) filled[name] = otherwise;
      else if (isNumber && typeof given === 'string' && decimal.test(given)) filled[name] = Number(given);
    }
    return filled;
  };
}

/** Answers null for a value of the schema, else the refusal that names what is wrong with it. */
export function createCheck(schema: TSchema): (value: unknown) => AppError | null {
  let compiled: ReturnType<typeof Compile> | null = null;
  return (value) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return null;
    const violations = toViolations(compiled.Errors(value));
    return new AppError('request_malformed', 'The request does not have the form that this route reads.', {
      violations,
    });
  };
}

type SchemaError = { readonly instancePath: string; readonly keyword: string; readonly params: object };

function toViolations(errors: readonly SchemaError[]): Violation[] {
  // "boolean" only says that a property was refused by its parent, which tells so itself.
  const told = errors.filter(({ keyword }) => keyword !== 'boolean').slice(0, violationsMax);
  const violations = told.flatMap(({ instancePath, keyword, params }) => {
    const named = namedProperties(params);
    if (named.length === 0) return [{ pointer: instancePath, rule: toRule(keyword) }];
    return named.map((name) => ({ pointer: `${instancePath}/${toPointerPart(name)}`, rule: toRule(keyword) }));
  });
  // Each branch of a union tells its own story, and some tell the same.
  return [...new Map(violations.map((violation) => [`${violation.pointer} ${violation.rule}`, violation])).values()];
}

/** The properties that are missing or too many: the error points at their parent. */
function namedProperties(params: object): string[] {
  if ('requiredProperties' in params && Array.isArray(params.requiredProperties))
    return params.requiredProperties.map(String);
  if ('additionalProperties' in params && Array.isArray(params.additionalProperties))
    return params.additionalProperties.map(String);
  return [];
}

function toPointerPart(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}

function toRule(keyword: string): string {
  return keyword.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}
