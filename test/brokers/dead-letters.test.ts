/** What cannot be recorded, in each broker: it is set aside, and its neighbours count. */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { queue } from '../../server/commands/queue.ts';
import { parseConfig } from '../../server/config.ts';
import { encodeSegment } from '../../server/ingest-log/segment.ts';
import { openSegmentLog } from '../../server/open-log.ts';
import { makeBallot, makePoll, toKey } from '../../server/poll/test-support.ts';
import { createPoll, get, post } from '../support/http.ts';
import { makeQueueVariables } from '../support/queue.ts';
import { createDatabase, startOn } from '../support/server.ts';

const wait = { timeout: 30_000, interval: 50 };
const silent = pino({ level: 'silent' });

async function openSample(name: 'redis' | 'rabbitmq' | 'kafka') {
  const databaseUrl = await createDatabase();
  const env = { DATABASE_URL: databaseUrl, ...makeQueueVariables() };
  const flags = ['--queue', name, '--preset', 'none'];
  const config = parseConfig({ argv: flags, env });
  if (config.ingestLog.name === 'direct') throw new Error('The tests ask for a broker.');
  const segments = await openSegmentLog(config.ingestLog, { durability: 'process' }, silent);
  onTestFinished(() => segments.close());
  const ask = (action: 'length' | 'dead' | 'replay'): Promise<string> => queue(config, action, silent);
  return { segments, ask, startServer: () => startOn(databaseUrl, flags, env) };
}

test.for(['redis', 'rabbitmq', 'kafka'] as const)(
  'in %s a ballot that cannot be recorded and bytes that are no segment are dead letters, and everything else counts',
  async (name) => {
    const { segments, ask, startServer } = await openSample(name);
    const server = await startServer();
    const poll = await createPoll(server.url);
    const [row] = await server.query<{ pollNo: number; ballotForm: number; epoch: Buffer }>(
      `select poll_no as "pollNo", ballot_form as "ballotForm", (select value from secrets where name = 'epoch') as epoch
      from polls where id = $1`,
      [poll.id],
    );
    if (row === undefined) throw new Error('The poll is not in the ledger.');
    const ballots = [1, 2, 3].map((no) => ({
      ...makeBallot(makePoll({ pollNo: row.pollNo, ballotForm: row.ballotForm }), no, {
        acceptedUs: Date.now() * 1_000,
        voterKey: toKey(no),
        // No column takes this number.
        selections: [no === 2 ? 65_535 : 1],
      }),
      follows: null,
    }));
    const head = { ledger: row.epoch.subarray(0, 8), nodeId: Buffer.alloc(16, 3), segmentNo: 1 };
    await Promise.all([segments.append(encodeSegment(head, ballots)), segments.append(Buffer.from('rubbish'))]);
    const received = await Promise.all(
      Array.from({ length: 20 }, () =>
        post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: randomUUID() }),
      ),
    );
    expect(new Set(received.map(({ status }) => status))).toEqual(new Set([202]));
    await expect
      .poll(async () => (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json, wait)
      .toMatchObject({ total: 22 });
    await expect.poll(() => segments.dead.count(), wait).toBe(2);
    await expect.poll(async () => (await segments.measure()).segments, wait).toBe(0);
    expect(await ask('length')).toMatch(
      new RegExp(`^log +${name}\\nwaiting +0 segments.*\\nworkers .*\\ndead +2 letters`, 'u'),
    );
    const dead = await ask('dead');
    expect(dead).toContain(`no segment\n    no segment, 7 bytes: ${Buffer.from('rubbish').toString('hex')}`);
    expect(dead).toMatch(/1 ballots cannot be recorded\n {4}1 ballots, \d+ bytes: 48534731/u);
    const [, badBallot] = ballots;
    const id = badBallot?.id.toString('hex') ?? '';
    expect(await server.query('select reason from ballot_refusals where ballot_id = $1', [id])).toEqual([
      { reason: 'internal' },
    ]);
    // A replay takes the same way: the ballot cannot be recorded this time either, and nothing counts twice.
    expect(await ask('replay')).toContain('2 dead letters');
    await expect.poll(() => segments.dead.count(), wait).toBe(2);
    expect((await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json).toMatchObject({ total: 22 });
    await server.stop();
  },
);
