/** Votes over time as they travel. */
import { Type, type Static } from 'typebox';
import { exampleSeries } from './examples.ts';

export const Series = Type.Object(
  {
    pollId: Type.String(),
    stepSeconds: Type.Union(
      [Type.Literal(1), Type.Literal(10), Type.Literal(60), Type.Literal(3600), Type.Literal(86_400)],
      {
        description:
          'The width of a point, by the span: seconds up to 5 minutes, ten seconds up to an hour, minutes up to two days, hours up to 125 days, then days.',
      },
    ),
    points: Type.Array(
      Type.Object({
        at: Type.String({ description: 'Where the point begins.' }),
        votes: Type.Integer({
          description: 'Votes of all options cast within the point; less those taken back since.',
        }),
      }),
      { description: 'Oldest first; a point without votes between others is there with 0. At most 3,000.' },
    ),
    peak: Type.Union([Type.Object({ at: Type.String(), votes: Type.Integer() }), Type.Null()], {
      description: 'The point with the most votes; null before the first vote.',
    }),
  },
  { title: 'Series', description: 'Votes over time.', examples: [exampleSeries] },
);
export type Series = Static<typeof Series>;
