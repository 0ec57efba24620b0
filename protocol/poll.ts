/** Polls as they travel: what a client sends to make one, and what it is shown. Times are RFC 3339 in UTC. */
import { Type, type Static } from 'typebox';
import { exampleNewPoll, examplePoll, examplePollCreated } from './examples.ts';

const closed = { additionalProperties: false } as const;

export const Electorate = Type.Union(
  [Type.Literal('open'), Type.Literal('cookie'), Type.Literal('declared'), Type.Literal('token')],
  {
    description:
      'Who may vote. `open`: nobody is told apart, every accepted ballot counts. `cookie`: one ballot per browser. `declared`: one per `userId` that the client states. ' +
      '`token`: one per user of a signed token (JWT), which comes as `Authorization: Bearer`; only where the server has keys to verify it.',
  },
);
export const Revote = Type.Union([Type.Literal('refuse'), Type.Literal('replace')], {
  description: 'What a second ballot of the same voter does: it is refused, or it supersedes the first.',
});
export const Visibility = Type.Union(
  [Type.Literal('always'), Type.Literal('after_vote'), Type.Literal('after_close'), Type.Literal('manager')],
  {
    description:
      'Who sees the results, and from when on. `always`: everybody. `after_vote`: whoever has voted. `after_close`: everybody once the poll is closed. ' +
      '`manager`: only who holds the manage key.',
  },
);
export const Layout = Type.Union([Type.Literal('ballot'), Type.Literal('board')], {
  description:
    'How the vote page shows the options. `ballot`: to choose from, then vote. `board`: each with a vote button and its count.',
});
const Color = Type.Union([Type.String({ pattern: '^#[0-9a-fA-F]{6}$' }), Type.Null()], {
  description: "The accent of the poll's pages, for example `#0b6b45`; null for the server's own.",
});
const EmbedParents = Type.Array(
  Type.String({ maxLength: 255, description: 'An origin such as `https://example.org`, or `*` for any.' }),
  { maxItems: 20, description: 'The sites whose pages may show `/embed/{poll}` in a frame. Default none.' },
);
export const PollStatus = Type.Union(
  [
    Type.Literal('draft'),
    Type.Literal('open'),
    Type.Literal('paused'),
    Type.Literal('closing'),
    Type.Literal('closed'),
  ],
  { description: '`closing`: closed for voters, and accepted ballots are still being counted.' },
);

const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$',
  description: 'RFC 3339, for example `2030-03-30T18:00:00Z`.',
});
const NullableTimestamp = Type.Union([Timestamp, Type.Null()]);
const NullableText = Type.Union([Type.String({ maxLength: 4000 }), Type.Null()]);

/** How paths name a poll. */
export const PollName = Type.String({
  description: 'The id or the slug of the poll.',
  examples: [examplePoll.slug],
});

export const NewOption = Type.Union([
  Type.String({ minLength: 1, maxLength: 500, description: 'The text alone; the id becomes the place on the ballot.' }),
  Type.Object(
    {
      id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      text: Type.String({ minLength: 1, maxLength: 500 }),
      description: Type.Optional(NullableText),
    },
    closed,
  ),
]);

const Selections = Type.Object(
  {
    min: Type.Optional(Type.Integer({ minimum: 0, maximum: 200 })),
    max: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  },
  { ...closed, description: 'How many options a ballot may select. 1 and 1, the default, is a single choice.' },
);

const terms = {
  description: Type.Optional(NullableText),
  electorate: Type.Optional(Electorate),
  electorateSize: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: 2_000_000_000 }), Type.Null()], {
      description: 'How many may vote, for the turnout.',
    }),
  ),
  revote: Type.Optional(Revote),
  visibility: Type.Optional(Visibility),
  selections: Type.Optional(Selections),
  listed: Type.Optional(Type.Boolean({ description: 'Whether lists and leaderboards name the poll. Default true.' })),
  layout: Type.Optional(Layout),
  color: Type.Optional(Color),
  embedParents: Type.Optional(EmbedParents),
};
const question = Type.String({ minLength: 1, maxLength: 1000 });
const options = Type.Array(NewOption, { minItems: 2, maxItems: 200 });

export const NewPoll = Type.Object(
  {
    question,
    options,
    ...terms,
    slug: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
        maxLength: 64,
        description: 'The name of the poll in addresses. Made from the question where none is given.',
      }),
    ),
    draft: Type.Optional(Type.Boolean({ description: 'true: nobody may vote until somebody opens the poll.' })),
    opensAt: Type.Optional(Timestamp),
    closesAt: Type.Optional(NullableTimestamp),
  },
  { ...closed, title: 'NewPoll', description: 'A poll to be made.', examples: [exampleNewPoll] },
);
export type NewPoll = Static<typeof NewPoll>;

export const PollEdit = Type.Object(
  { question: Type.Optional(question), options: Type.Optional(options), ...terms },
  {
    ...closed,
    minProperties: 1,
    title: 'PollEdit',
    description: 'What is to change. The rest stays.',
    examples: [{ question: 'Coffee or tea?' }],
  },
);
export type PollEdit = Static<typeof PollEdit>;

/** A new closing time: a moment, minutes to add, or null for "until somebody closes it". */
export const Extension = Type.Union(
  [
    Type.Object({ closesAt: NullableTimestamp }, closed),
    Type.Object({ minutes: Type.Integer({ minimum: 1, maximum: 525_600 }) }, closed),
  ],
  {
    description:
      'A new closing time, minutes to add to the old one, or null for a poll that stays open until somebody closes it.',
    examples: [{ minutes: 15 }],
  },
);
export type Extension = Static<typeof Extension>;

export const Reopening = Type.Object(
  { closesAt: Type.Optional(NullableTimestamp) },
  {
    ...closed,
    description: 'When it closes again; without it, when somebody closes it.',
  },
);

export const Option = Type.Object({
  id: Type.String({ description: 'What a ballot names the option by.' }),
  text: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
});

export type Option = Static<typeof Option>;

const pollFields = {
  id: Type.String({ description: 'A UUID. Wherever an address says {poll}, the slug serves as well.' }),
  slug: Type.String(),
  joinCode: Type.String({ description: 'Six characters to type, without 0, O, 1, I and L.' }),
  question: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  options: Type.Array(Option),
  status: PollStatus,
  electorate: Electorate,
  electorateSize: Type.Union([Type.Integer(), Type.Null()]),
  revote: Revote,
  visibility: Visibility,
  selections: Type.Object({ min: Type.Integer(), max: Type.Integer() }),
  listed: Type.Boolean(),
  layout: Layout,
  color: Color,
  hasLogo: Type.Boolean({ description: 'Whether there is a picture at `/p/{poll}/logo`.' }),
  embedParents: EmbedParents,
  opensAt: NullableTimestamp,
  closesAt: NullableTimestamp,
  createdAt: Timestamp,
  revision: Type.Integer({ description: 'Grows by one with every change to the poll.' }),
};

export const Poll = Type.Object(pollFields, {
  title: 'Poll',
  description: 'A poll as everybody sees it.',
  examples: [examplePoll],
});
export type Poll = Static<typeof Poll>;

export const PollCreated = Type.Object(
  {
    ...pollFields,
    manageKey: Type.String({ description: 'Shown this once. Send it as the `Manage-Key` header to change the poll.' }),
  },
  { title: 'PollCreated', description: 'The poll, with its manage key.', examples: [examplePollCreated] },
);
export type PollCreated = Static<typeof PollCreated>;

export const PollList = Type.Object(
  {
    polls: Type.Array(Poll),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'The value of `before` for the next page; null on the last.',
    }),
  },
  { title: 'PollList', description: 'A page of polls.', examples: [{ polls: [examplePoll], next: null }] },
);

export const PollHealth = Type.Object(
  {
    accepted: Type.Integer({ description: 'Counted ballots.' }),
    duplicatesRefused: Type.Integer({ description: 'Ballots of voters who had a counted one.' }),
    late: Type.Integer({ description: 'Ballots that came after the close.' }),
    waiting: Type.Integer({ description: 'Ballots of all polls that wait in this process for their answer.' }),
    lagMs: Type.Integer({
      description: 'How long ago the oldest ballot was accepted that has no outcome yet. 0 without a broker.',
    }),
  },
  {
    title: 'PollHealth',
    description: 'The figures.',
    examples: [{ accepted: 1200, duplicatesRefused: 3, late: 0, waiting: 12, lagMs: 4 }],
  },
);

/** What was done to a poll, oldest first. */
export const PollLog = Type.Object(
  {
    events: Type.Array(
      Type.Object({
        at: Timestamp,
        event: Type.String({
          description: 'Such as `created`, `edited`, `open`, `pause`, `close`, `extend`, `postpone` or `reopen`.',
        }),
        detail: Type.Object({}, { additionalProperties: true, description: 'What was before and after, by event.' }),
      }),
      { description: 'Oldest first; the newest 1,000.' },
    ),
  },
  {
    title: 'PollLog',
    description: 'What was done.',
    examples: [{ events: [{ at: '2030-03-30T18:00:00.000Z', event: 'created', detail: {} }] }],
  },
);
export type PollHealth = Static<typeof PollHealth>;
