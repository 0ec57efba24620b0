/** The answers of a route, for its description. The views in views.ts have the types; nothing is checked or copied at run time. */
import type { TSchema } from 'typebox';
import { Problem } from '../../protocol/problem.ts';

type Answer = { readonly description: string; readonly content: Readonly<Record<string, { schema: TSchema }>> };

/** By status: what a body in JSON looks like, or an answer of another media type. */
export function answers(byStatus: Readonly<Record<string, TSchema | Answer>>): unknown {
  const described = Object.entries(byStatus).map(([status, answer]) => [
    status,
    answer === Problem ? answerOf('application/problem+json', Problem, 'A refusal, with its code') : answer,
  ]);
  return Object.fromEntries(described);
}

export function answerOf(mediaType: string, schema: TSchema, description: string): Answer {
  return { description, content: { [mediaType]: { schema } } };
}
