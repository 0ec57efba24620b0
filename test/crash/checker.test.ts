import { expect, test } from 'vitest';
import { check, type Evidence, type LedgerRow, type PollFacts } from './checker.ts';
import type { Cast, Ended, Entry } from './history.ts';

const castAt = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:00:01.000Z';

/** Two lines of a history: somebody votes and is told what became of it. */
function request(no: number, change: Partial<Cast & Ended & { final: boolean }> = {}): Entry[] {
  const cast = { poll: 'p', policy: 'refuse', door: 'rest', user: 'u', key: 'k', option: '1', final: false } as const;
  const receipt = { ballotId: 'b1', castAt };
  const end = { outcome: 'ok', answered: true, text: 'b1', receipt } as const;
  const { outcome, answered, text, receipt: given, ...rest } = { ...cast, ...end, ...change };
  return [
    { ...rest, kind: 'sent', no },
    { kind: 'ended', no, outcome, answered, text, receipt: given, refusal: null },
  ];
}

const row = (change: Partial<LedgerRow> = {}): LedgerRow => ({
  ballotId: 'b1',
  poll: 'p',
  user: 'u',
  key: 'k',
  option: '1',
  castAt,
  acceptedUs: null,
  counted: true,
  ...change,
});

const pollFacts: PollFacts = { poll: 'p', policy: 'refuse', options: ['1', '2'], surfaces: ['tally', 'table'] };
const shows = (first: number, second = 0): Evidence['surfaces'] =>
  pollFacts.surfaces.map((name) => ({ name, poll: 'p', counts: { '1': first, '2': second } }));

/** One voter, acknowledged, retried at the end, in the ledger and on every surface. */
const sound: Evidence = {
  history: [...request(1), ...request(2, { final: true })],
  ledger: [row()],
  polls: [pollFacts],
  surfaces: shows(1),
  faults: [{ kind: 'server', underWay: 3 }],
  faultsMin: 1,
  acknowledgedMin: 2,
  acknowledges: 'outcome',
  refusals: [],
  told: [],
  reads: [],
  followed: [],
};

/** The same voter changes from option 1 to option 2. */
const replaced: Evidence = {
  ...sound,
  history: [
    ...request(1, { policy: 'replace' }),
    ...request(2, {
      policy: 'replace',
      key: 'k2',
      option: '2',
      text: 'b2',
      receipt: { ballotId: 'b2', castAt: later },
    }),
    ...request(3, { policy: 'replace', final: true }),
    ...request(4, {
      policy: 'replace',
      key: 'k2',
      option: '2',
      text: 'b2',
      receipt: { ballotId: 'b2', castAt: later },
      final: true,
    }),
  ],
  ledger: [row({ counted: false }), row({ ballotId: 'b2', key: 'k2', option: '2', castAt: later })],
  polls: [{ ...pollFacts, policy: 'replace' }],
  surfaces: shows(0, 1),
};

/** The same voter, acknowledged by a log twice, whose second ballot was refused when it was recorded. */
const queued: Evidence = {
  ...sound,
  history: [
    ...sound.history,
    ...request(3, { key: 'k2', text: 'b2', receipt: { ballotId: 'b2', castAt: null } }),
    ...request(4, { key: 'k2', text: 'b2', receipt: { ballotId: 'b2', castAt: null }, final: true }),
  ],
  ledger: [row({ acceptedUs: 5 })],
  refusals: [{ ballotId: 'b2', reason: 'ballot_already_cast' }],
  told: [
    { ballotId: 'b1', status: 'counted' },
    { ballotId: 'b2', status: 'failed' },
  ],
  acknowledges: 'acceptance',
};

/** One connection that was sent these counts. */
const follows = (isWhole: boolean, ...totals: number[]): Evidence['followed'] => [
  { poll: 'p', frames: totals.map((total, version) => ({ version, total })), isWhole },
];

const openPoll: PollFacts = { ...pollFacts, policy: 'open' };

test.for<[what: string, evidence: Evidence]>([
  ['an acknowledged ballot', sound],
  ['a changed mind', replaced],
  [
    'a ballot whose answer was lost, and that is in the ledger',
    {
      ...sound,
      history: [...request(1, { outcome: 'unknown', receipt: null }), ...request(2, { final: true })],
      acknowledgedMin: 1,
    },
  ],
  [
    'a ballot whose request never ended, and that is not in the ledger',
    { ...sound, history: [...sound.history, ...request(9, { key: 'k9', user: 'u9' }).slice(0, 1)] },
  ],
  [
    'a refused second ballot',
    { ...sound, history: [...sound.history, ...request(9, { key: 'k9', outcome: 'fail', receipt: null, text: null })] },
  ],
  [
    'a ballot that was refused once and counted when it was sent again',
    { ...sound, history: [...request(9, { outcome: 'fail', receipt: null, text: null }), ...sound.history] },
  ],
  [
    'ballots of nobody in particular',
    {
      ...sound,
      history: [1, 2].flatMap((no) =>
        request(no, { policy: 'open', user: null, receipt: null, text: 'yes', final: true }),
      ),
      ledger: [row({ user: null })],
      polls: [openPoll],
    },
  ],
  ['a ballot that a log took and that was refused when another one counted', queued],
  [
    'a retry that a log took later, and that says so',
    {
      ...queued,
      history: [...queued.history, ...request(7, { receipt: { ballotId: 'b1', castAt: later } })],
    },
  ],
  [
    'a later ballot with a lower id, where a log carries the order',
    {
      ...replaced,
      ledger: [row({ acceptedUs: 5, counted: false, ballotId: 'b2' }), row({ acceptedUs: 6, key: 'k2', option: '2' })],
      history: replaced.history.map((entry) =>
        entry.kind === 'sent' || entry.receipt === null
          ? entry
          : {
              ...entry,
              text: entry.text === 'b1' ? 'b2' : 'b1',
              receipt: { ballotId: entry.text === 'b1' ? 'b2' : 'b1', castAt: null },
            },
      ),
      told: [
        { ballotId: 'b2', status: 'superseded' },
        { ballotId: 'b1', status: 'counted' },
      ],
      acknowledges: 'acceptance',
    },
  ],
  ['a read of less than was acknowledged', { ...sound, reads: [{ poll: 'p', total: 0, readAt: 4 }] }],
  ['a connection that broke in the middle', { ...sound, followed: follows(false, 0) }],
  ['a connection that lived to the end', { ...sound, followed: follows(true, 0, 1) }],
])('%s is no fault', ([, evidence]) => {
  expect(check(evidence)).toEqual([]);
});

const faultsOf = (evidence: Evidence): string[] => [
  ...new Set(check(evidence).map((fault) => fault.slice(0, fault.indexOf(':')))),
];

test.for<[invariants: string[], what: string, evidence: Evidence]>([
  [['I1', 'I5'], 'an acknowledged ballot is missing', { ...sound, ledger: [] }],
  [['I1', 'I2', 'I4', 'I5'], 'an acknowledged ballot is there twice', { ...sound, ledger: [row(), row()] }],
  [['I1', 'I2', 'I5'], 'an acknowledged ballot has another option', { ...sound, ledger: [row({ option: '2' })] }],
  [['I1', 'I2'], 'an acknowledged ballot is another voter’s', { ...sound, ledger: [row({ user: 'w' })] }],
  [['I1', 'I2', 'I5'], 'an acknowledged ballot is in another poll', { ...sound, ledger: [row({ poll: 'q' })] }],
  [['I1'], 'an acknowledged ballot has another time', { ...sound, ledger: [row({ castAt: later })] }],
  [['I1'], 'an acknowledged ballot has another id', { ...sound, ledger: [row({ ballotId: 'b7' })] }],
  [
    ['I1', 'I5'],
    'a ballot that was acknowledged without a receipt is missing',
    {
      ...sound,
      history: request(1, { policy: 'open', user: null, receipt: null, final: true }),
      ledger: [],
      polls: [openPoll],
      acknowledgedMin: 1,
    },
  ],
  [
    ['I2'],
    'a row was never sent',
    { ...sound, ledger: [row(), row({ ballotId: 'b2', user: 'w', key: 'k2' })], surfaces: shows(2) },
  ],
  [
    ['I2'],
    'a key of one voter was recorded for another',
    { ...sound, ledger: [row(), row({ ballotId: 'b2', user: 'w' })], surfaces: shows(2) },
  ],
  [
    ['I2'],
    'one key was counted twice where nobody is told apart',
    {
      ...sound,
      history: [1, 2].flatMap((no) => request(no, { policy: 'open', user: null, final: true })),
      ledger: [row({ user: null }), row({ user: null, ballotId: 'b2' })],
      polls: [openPoll],
      surfaces: shows(2),
    },
  ],
  [
    ['I3'],
    'a refused ballot is in the ledger',
    {
      ...sound,
      history: [...sound.history, ...request(9, { key: 'k9', user: 'w', outcome: 'fail', receipt: null })],
      ledger: [row(), row({ ballotId: 'b9', key: 'k9', user: 'w' })],
      surfaces: shows(2),
    },
  ],
  [
    ['I4'],
    'a voter has two counted ballots',
    { ...replaced, ledger: replaced.ledger.map((each) => ({ ...each, counted: true })), surfaces: shows(1, 1) },
  ],
  [
    ['I4'],
    'a voter has none that counts',
    { ...replaced, ledger: replaced.ledger.map((each) => ({ ...each, counted: false })), surfaces: shows(0) },
  ],
  [
    ['I4'],
    'an earlier ballot counts',
    { ...replaced, ledger: replaced.ledger.map((each) => ({ ...each, counted: !each.counted })), surfaces: shows(1) },
  ],
  [['I4'], 'a poll that refuses second ballots has two of one voter', { ...replaced, polls: [pollFacts] }],
  [
    ['I4'],
    'a ballot was sent after another was acknowledged, and accepted before it',
    {
      ...replaced,
      history: [...replaced.history.slice(2, 4), ...replaced.history.slice(0, 2), ...replaced.history.slice(4)],
    },
  ],
  [
    ['I4', 'I5'],
    'a ballot of nobody in particular does not count',
    {
      ...sound,
      history: [1, 2].flatMap((no) => request(no, { policy: 'open', user: null, final: true })),
      ledger: [row({ user: null, counted: false })],
      polls: [openPoll],
    },
  ],
  [['I5'], 'surfaces show too much', { ...sound, surfaces: shows(2) }],
  [['I5'], 'surfaces show too little', { ...sound, surfaces: shows(0) }],
  [['I5'], 'surfaces show a vote that nobody cast', { ...sound, surfaces: shows(1, 1) }],
  [
    ['I5'],
    'one surface differs from the others',
    { ...sound, surfaces: [...shows(1).slice(1), ...shows(2).slice(0, 1)] },
  ],
  [['I5'], 'one surface does not show the poll', { ...sound, surfaces: shows(1).slice(1) }],
  [
    ['I5'],
    'one surface leaves an option out',
    { ...sound, surfaces: [...shows(1).slice(1), { name: 'tally', poll: 'p', counts: { '1': 1 } }] },
  ],
  [
    ['I8'],
    'one key has two receipts that differ in a byte',
    { ...sound, history: [...request(1), ...request(2, { final: true, text: 'b1 ' })] },
  ],
  [['I8'], 'a receipt is not to be had after the faults', { ...sound, history: [...request(1), ...request(2)] }],
  [
    ['I8'],
    'the retry after the faults gets no receipt',
    {
      ...sound,
      history: [...request(1), ...request(2, { final: true, outcome: 'unknown', receipt: null })],
      acknowledgedMin: 1,
    },
  ],
  [
    ['I1'],
    'an acknowledged ballot was refused though no other one of its voter counts',
    {
      ...queued,
      history: queued.history.map((entry) =>
        entry.kind === 'sent' && entry.key === 'k2' ? { ...entry, user: 'w' } : entry,
      ),
    },
  ],
  [
    ['I1'],
    'an acknowledged ballot was refused for another reason',
    { ...queued, refusals: [{ ballotId: 'b2', reason: 'poll_closed' }] },
  ],
  [
    ['I3', 'I13'],
    'a ballot that was refused when it was recorded is in the ledger',
    {
      ...queued,
      ledger: [row({ acceptedUs: 5 })],
      refusals: [...queued.refusals, { ballotId: 'b1', reason: 'ballot_already_cast' }],
    },
  ],
  [['I6'], 'somebody reads more than was sent', { ...sound, reads: [{ poll: 'p', total: 1, readAt: 0 }] }],
  [['I7'], 'a connection is sent less than before', { ...sound, followed: follows(false, 1, 0) }],
  [
    ['I7'],
    'a connection is sent the same version twice',
    { ...sound, followed: [{ poll: 'p', frames: [0, 0].map((version) => ({ version, total: 1 })), isWhole: true }] },
  ],
  [['I7'], 'a connection that lived to the end is left behind', { ...sound, followed: follows(true, 0) }],
  [
    ['I13'],
    'a ballot that a log took is still on its way',
    { ...queued, told: [...queued.told.slice(0, 1), { ballotId: 'b2', status: 'received' }] },
  ],
  [
    ['I13'],
    'somebody is told another outcome than the ledger has',
    { ...queued, told: queued.told.map((told) => ({ ...told, status: 'counted' })) },
  ],
  [['I14'], 'a fault struck in silence', { ...sound, faults: [...sound.faults, { kind: 'server', underWay: 0 }] }],
  [['I14'], 'too few faults struck', { ...sound, faultsMin: 2 }],
  [['I14'], 'hardly anything was acknowledged', { ...sound, acknowledgedMin: 3 }],
])('%j is broken when %s', ([invariants, , evidence]) => {
  expect(faultsOf(evidence)).toEqual(invariants);
});
