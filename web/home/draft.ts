/** A poll as it is being written: what the form holds, what it means in one sentence, and what is sent. */
import type { NewPoll, Poll } from '../../protocol/poll.ts';

export const kinds = ['single', 'several', 'board', 'election', 'yes_no'] as const;
export type Kind = (typeof kinds)[number];

export type Draft = {
  readonly kind: Kind;
  readonly question: string;
  readonly description: string;
  /** The last one is empty: the place for another. */
  readonly options: readonly string[];
  /** Null, here and below: nobody has chosen, so it is what the kind means. */
  readonly electorate: Poll['electorate'] | null;
  readonly revote: Poll['revote'];
  readonly visibility: Poll['visibility'] | null;
  readonly selectionsMin: number;
  readonly selectionsMax: number | null;
  readonly opens: 'now' | 'by_hand' | 'at';
  /** As `<input type="datetime-local">` gives it. */
  readonly opensAt: string;
  readonly closes: 'by_hand' | 'in_5' | 'in_15' | 'in_60' | 'at';
  readonly closesAt: string;
  readonly listed: boolean;
  readonly slug: string;
  readonly color: string | null;
  /** One origin a line. */
  readonly embedParents: string;
};

export const optionsMin = 2;
export const optionsMax = 200;

export const emptyDraft: Draft = {
  kind: 'single',
  question: '',
  description: '',
  options: ['', '', ''],
  electorate: null,
  revote: 'refuse',
  visibility: null,
  selectionsMin: 1,
  selectionsMax: null,
  opens: 'now',
  opensAt: '',
  closes: 'by_hand',
  closesAt: '',
  listed: true,
  slug: '',
  color: null,
  embedParents: '',
};

export function namedOptions({ options }: Pick<Draft, 'options'>): string[] {
  return options.map((text) => text.trim()).filter((text) => text !== '');
}

/** Another kind. What was chosen by hand and the texts stay, but for a count of choices that the new kind does not have. */
export function toKind(draft: Draft, kind: Kind, yesNo: readonly [string, string]): Draft {
  const oneChoice = { kind, selectionsMin: 1, selectionsMax: null } as const;
  switch (kind) {
    case 'single':
    case 'board':
      return { ...draft, ...oneChoice };
    case 'several':
      return { ...draft, kind, selectionsMax: draft.selectionsMax === 1 ? null : draft.selectionsMax };
    case 'election':
      return { ...draft, kind };
    case 'yes_no':
      return { ...draft, ...oneChoice, options: namedOptions(draft).length === 0 ? [...yesNo, ''] : draft.options };
  }
}

export type Terms = {
  readonly electorate: Poll['electorate'];
  readonly visibility: Poll['visibility'];
  readonly selectionsMax: number;
};

const electorateOfKind = {
  single: 'cookie',
  several: 'cookie',
  board: 'open',
  election: 'declared',
  yes_no: 'cookie',
} as const satisfies Record<Kind, Poll['electorate']>;

/** What goes for the draft: what somebody has chosen, else what the kind means. Several choices are all that there are. */
export function toTerms(draft: Draft): Terms {
  const { kind } = draft;
  return {
    electorate: draft.electorate ?? electorateOfKind[kind],
    visibility: draft.visibility ?? (kind === 'election' ? 'after_close' : 'always'),
    selectionsMax: draft.selectionsMax ?? (kind === 'several' ? Math.max(optionsMin, namedOptions(draft).length) : 1),
  };
}

/** How many options a voter may choose, where that is more than one and fewer than there are; else null. */
export function findChoiceLimit(draft: Draft): number | null {
  const { selectionsMax } = toTerms(draft);
  return selectionsMax > 1 && selectionsMax < namedOptions(draft).length ? selectionsMax : null;
}

/** The options with one of them changed; text of several lines becomes several options. There is always an empty one at the end. */
export function setOption({ options }: Pick<Draft, 'options'>, index: number, text: string): string[] {
  const lines = text.includes('\n')
    ? text
        .split(/\r?\n/u)
        .map((line) => line.trim())
        .filter((line) => line !== '')
    : [text];
  const next = [...options.slice(0, index), ...lines, ...options.slice(index + 1)];
  return withRoom(next);
}

export function removeOption({ options }: Pick<Draft, 'options'>, index: number): string[] {
  return withRoom(options.length <= 2 ? options : options.toSpliced(index, 1));
}

function withRoom(options: readonly string[]): string[] {
  const room = options.at(-1)?.trim() === '' || options.length >= optionsMax ? [] : [''];
  return [...options, ...room].slice(0, optionsMax);
}

export type OptionFault = 'repeated' | 'too_few';

/** Which options cannot stand, by their place. */
export function findOptionFaults(options: readonly string[]): ReadonlyMap<number, OptionFault> {
  const faults = new Map<number, OptionFault>();
  const seen = new Set<string>();
  for (const [index, option] of options.entries()) {
    const text = option.trim().normalize('NFC');
    if (text !== '' && seen.has(text)) faults.set(index, 'repeated');
    seen.add(text);
  }
  return faults;
}

const minuteMs = 60_000;

/** The body of the request. `nowMs`: the ledger's clock. Local times become UTC here, by the time zone of this browser. */
export function toNewPoll(draft: Draft, nowMs: number): NewPoll {
  const { kind, revote, selectionsMin, listed, color } = draft;
  const { electorate, visibility, selectionsMax } = toTerms(draft);
  const options = namedOptions(draft);
  const slug = draft.slug.trim();
  const embedParents = draft.embedParents.split(/\s+/u).filter((origin) => origin !== '');
  const several = kind === 'several' || selectionsMax > 1 || selectionsMin !== 1;
  return {
    question: draft.question.trim(),
    options,
    electorate,
    revote: electorate === 'open' ? 'refuse' : revote,
    visibility,
    listed,
    ...(draft.description.trim() === '' ? {} : { description: draft.description.trim() }),
    ...(several
      ? { selections: { min: selectionsMin, max: Math.min(selectionsMax, Math.max(1, options.length)) } }
      : {}),
    ...(kind === 'board' ? { layout: 'board' } : {}),
    ...(slug === '' ? {} : { slug }),
    ...(color === null ? {} : { color }),
    ...(embedParents.length === 0 ? {} : { embedParents }),
    ...(draft.opens === 'by_hand' ? { draft: true } : {}),
    ...(draft.opens === 'at' && draft.opensAt !== '' ? { opensAt: new Date(draft.opensAt).toISOString() } : {}),
    ...toClosing(draft, nowMs),
  };
}

function toClosing({ closes, closesAt }: Draft, nowMs: number): Pick<NewPoll, 'closesAt'> {
  const minutes = { by_hand: null, at: null, in_5: 5, in_15: 15, in_60: 60 }[closes];
  if (minutes !== null) return { closesAt: new Date(nowMs + minutes * minuteMs).toISOString() };
  return closes === 'at' && closesAt !== '' ? { closesAt: new Date(closesAt).toISOString() } : {};
}

/** A poll that exists, to be written anew. One that lets choose all its options does so with more of them, too. */
export function toDraft(poll: Poll): Draft {
  const { min, max } = poll.selections;
  return {
    ...emptyDraft,
    kind: poll.layout === 'board' ? 'board' : max > 1 ? 'several' : 'single',
    question: poll.question,
    description: poll.description ?? '',
    options: [...poll.options.map(({ text }) => text), ''],
    electorate: poll.electorate,
    revote: poll.revote,
    visibility: poll.visibility,
    selectionsMin: min,
    selectionsMax: max > 1 && max === poll.options.length && poll.layout !== 'board' ? null : max,
    listed: poll.listed,
    color: poll.color,
    embedParents: poll.embedParents.join('\n'),
  };
}
