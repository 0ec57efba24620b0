/** Changes of polls that come at the same time, and edits at their limits. */
import { expect, test } from 'vitest';
import { createPoll, get, post, send } from '../support/http.ts';
import { startOn, startTestServer } from '../support/server.ts';

test('of many closes at the same time one is taken, and the log has it once', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const key = { 'manage-key': poll.manageKey };
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(`${path}/close`, '', key)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
  const { events } = (await get(`${path}/log`, key)).json as { events: { event: string; at: string }[] };
  expect(events.map(({ event }) => event)).toEqual(['created', 'close']);
  expect((await get(path)).json).toMatchObject({ status: 'closed', revision: 2 });
});

test('edits at the same time all count, each in a revision of its own', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const key = { 'manage-key': poll.manageKey };
  const edits = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      send('PATCH', path, index % 2 === 0 ? { question: `Question ${index}?` } : { description: `Text ${index}` }, key),
    ),
  );
  const revisions = edits.map(({ json }) => (json as { revision: number }).revision).sort((a, b) => a - b);
  expect(revisions).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  const shown = (await get(path)).json as { question: string; description: string; revision: number };
  expect(shown).toMatchObject({ revision: 21, question: expect.stringMatching(/^Question \d+\?$/u) });
  expect(shown.description).toMatch(/^Text \d+$/u);
  await server.stop();
  const again = await startOn(server.databaseUrl, ['--preset', 'none']);
  expect((await get(`${again.url}/api/v1/polls/${poll.id}`)).json).toEqual(shown);
});

test('each edit that breaks a rule names its place and changes nothing', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url);
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const key = { 'manage-key': poll.manageKey };
  const before = (await get(path)).json;
  for (const [edit, status, pointer] of [
    [{ question: '' }, 400, '/question'],
    [{ question: '\u0000' }, 422, '/question'],
    [{ description: '\ud800' }, 422, '/description'],
    [{ options: [] }, 400, '/options'],
    [{ options: ['a', 'a'] }, 422, '/options/1/text'],
    [{ selections: { min: 2 } }, 422, '/selections/min'],
    [{ selections: { max: 3 } }, 422, '/selections/max'],
    [{ electorate: 'open', electorateSize: 7 }, 422, '/electorateSize'],
    [{ electorate: 'open', revote: 'replace' }, 422, '/revote'],
    [{ electorateSize: 0 }, 400, '/electorateSize'],
    [{ electorateSize: 2 ** 31 }, 400, '/electorateSize'],
    [{ listed: 'no' }, 400, '/listed'],
    [{ slug: 'mine' }, 400, '/slug'],
    [{ closesAt: null }, 400, '/closesAt'],
    [{ revision: 9 }, 400, '/revision'],
  ] as const) {
    const answer = await send('PATCH', path, edit, key);
    const { violations } = answer.json as { violations: { pointer: string }[] };
    expect([edit, answer.status, violations.map((violation) => violation.pointer)]).toEqual([
      edit,
      status,
      expect.arrayContaining([pointer]),
    ]);
    const named = violations.map((violation) => JSON.stringify(violation));
    expect(named).toEqual([...new Set(named)]);
  }
  expect((await get(path)).json).toEqual(before);
});

test('options that were changed before the first ballot are those that it names', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, {
    options: [
      { id: 'tea', text: 'Tea' },
      { id: 'coffee', text: 'Coffee' },
    ],
  });
  const path = `${server.url}/api/v1/polls/${poll.id}`;
  const options = [
    { id: 'coffee', text: 'Coffee' },
    { id: 'water', text: 'Water' },
    { id: 'tea', text: 'Tea' },
  ];
  expect((await send('PATCH', path, { options }, { 'manage-key': poll.manageKey })).status).toBe(200);
  await post(`${path}/ballots`, { selections: ['tea'], userId: 'u' });
  expect((await get(`${path}/tally`)).json).toMatchObject({
    counts: [
      { optionId: 'coffee', votes: 0 },
      { optionId: 'water', votes: 0 },
      { optionId: 'tea', votes: 1 },
    ],
  });
});

test('ballots that meet a change of the options count for what they name, or are refused', async () => {
  const server = await startTestServer('--preset', 'none', '--batch-ballots-max', '3', '--recorder-lanes', '1');
  for (let round = 0; round < 10; round += 1) {
    const poll = await createPoll(server.url, {
      options: [
        { id: 'tea', text: 'Tea' },
        { id: 'coffee', text: 'Coffee' },
      ],
    });
    const path = `${server.url}/api/v1/polls/${poll.id}`;
    const turned = {
      options: [
        { id: 'coffee', text: 'Coffee' },
        { id: 'tea', text: 'Tea' },
      ],
    };
    const casts = Array.from({ length: 40 }, (_, user) =>
      post(`${path}/ballots`, { selections: ['tea'], userId: `u${user}` }),
    );
    const edit = send('PATCH', path, turned, { 'manage-key': poll.manageKey });
    const counted = (await Promise.all(casts)).filter(({ status }) => status === 201).length;
    expect([200, 409]).toContain((await edit).status);
    const { counts } = (await get(`${path}/tally`)).json as { counts: { optionId: string; votes: number }[] };
    expect(counts.find(({ optionId }) => optionId === 'tea')?.votes).toBe(counted);
  }
});
