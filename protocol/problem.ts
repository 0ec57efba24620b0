/** Errors as they travel: application/problem+json (RFC 9457) with three members of our own. */
import { Type, type Static } from 'typebox';

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: '`urn:request:<id>`: the id under which the log tells of this request.' }),
    code: Type.String({ description: 'One of docs/errors.md.' }),
    recorded: Type.Union([Type.Literal('no'), Type.Literal('unknown'), Type.Literal('yes')], {
      description: 'Whether the ballot is in the ledger. On `unknown`, send it again with the same key.',
    }),
    violations: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), rule: Type.String() }))),
  },
  { additionalProperties: true, description: 'application/problem+json' },
);
export type Problem = Static<typeof Problem>;
