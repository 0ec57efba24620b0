/** The answers of a route, for its description. The views in views.ts have the types; nothing is checked or copied at run time. */
import type { TSchema } from 'typebox';
import { Problem } from '../../protocol/problem.ts';

/** By status. A refusal travels under the media type of its own. */
export function answers(schemas: Readonly<Record<string, TSchema>>): unknown {
  const described = Object.entries(schemas).map(([status, schema]) => [
    status,
    schema === Problem ? answerOf('application/problem+json', Problem, 'A refusal, with its code') : schema,
  ]);
  return Object.fromEntries(described);
}

export function answerOf(mediaType: string, schema: TSchema, description: string) {
  return { description, content: { [mediaType]: { schema } } };
}
