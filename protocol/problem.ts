/** Errors as they travel: application/problem+json (RFC 9457) with three members of our own. */
import { Type, type Static } from 'typebox';

export const Problem = Type.Object(
  {
    type: Type.String({ description: '`/problems/<code>`.' }),
    title: Type.String({ description: 'What the code means, the same each time.' }),
    status: Type.Integer({ description: 'The status of the answer.' }),
    detail: Type.String({ description: 'What is wrong with this one request.' }),
    instance: Type.String({ description: '`urn:request:<id>`: the id under which the log tells of this request.' }),
    code: Type.String({ description: 'One of docs/errors.md.' }),
    recorded: Type.Union([Type.Literal('no'), Type.Literal('unknown'), Type.Literal('yes')], {
      description: 'Whether the ballot is in the ledger. On `unknown`, send it again with the same key.',
    }),
    violations: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'A JSON Pointer into the body; empty for all of it.' }),
          rule: Type.String({
            description: 'The rule that is broken there, such as `required` or `overvote`.',
          }),
        }),
      ),
    ),
  },
  {
    additionalProperties: true,
    title: 'Problem',
    description: 'A refusal (RFC 9457). Some codes have members of their own.',
  },
);
export type Problem = Static<typeof Problem>;
