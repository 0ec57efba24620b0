/** The answers of a route, for its description. The views in views.ts have the types; nothing is checked or copied at run time. */
import type { TSchema } from 'typebox';

export function answers(schemas: Readonly<Record<string, TSchema>>): unknown {
  return schemas;
}
