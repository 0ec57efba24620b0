/** What every segment log keeps of its port, `server/ingest-log/segment-log.ts`. Each adapter runs it against its real broker. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppendFailed, appendMsMax, segmentBytesMax, type SegmentLog } from '../../server/ingest-log/segment-log.ts';
import {
  appendAll,
  appendOnce,
  makeSegment,
  makeSegments,
  nameOf,
  namesOf,
  Taker,
  withDeadline,
} from './segment-log-samples.ts';
import { segmentLogs, type TestedLog } from './segment-logs.ts';

/** A broker that the test file has started, with the settings that `checkDurability` asks for. */
export type TestBroker = {
  readonly url: string;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its data, and resolves when it answers. */
  restart(): Promise<void>;
};

/** No test waits longer than this for what must happen. */
const poll = { timeout: 60_000, interval: 20 };
const testMsMax = 180_000;
const deliveriesMax = 100;
const child = fileURLToPath(new URL('segment-log-child.ts', import.meta.url));

export function describeSegmentLog(name: TestedLog, broker: () => TestBroker): void {
  const makeQueueName = () => `test_${randomBytes(6).toString('hex')}`;

  async function open(queueName: string): Promise<SegmentLog> {
    const log = await segmentLogs[name]({ url: broker().url, queueName, log: pino({ level: 'silent' }) });
    onTestFinished(() => log.close());
    return log;
  }

  /** Whatever becomes of the test, the broker runs again after it. */
  async function killBroker(): Promise<() => Promise<void>> {
    let isDown = true;
    const restart = async (): Promise<void> => {
      if (isDown) await broker().restart();
      isDown = false;
    };
    onTestFinished(restart);
    await broker().kill();
    return restart;
  }

  /** A consumer in another process that acknowledges nothing. */
  async function startChild(queueName: string, most: number) {
    const names: string[] = [];
    const running = fork(child, [name, broker().url, queueName, String(most)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const kill = async (): Promise<void> => {
      if (running.exitCode !== null || running.signalCode !== null) return;
      running.kill('SIGKILL');
      await once(running, 'exit');
    };
    onTestFinished(kill);
    running.on('message', (text) => names.push(String(text)));
    return { names, kill };
  }

  /**
   * Appends one more segment and takes what there is. What comes besides this one was still in the log. It is taken while the log is not
   * empty, so that nothing is overlooked.
   */
  async function takeRest(queueName: string): Promise<string[]> {
    const log = await open(queueName);
    const last = makeSegment();
    await log.append(last);
    const taker = await new Taker(true).start(log);
    await expect.poll(() => taker.has(last), poll).toBe(true);
    await expect.poll(async () => (await log.measure()).segments, poll).toBe(0);
    await taker.stop();
    return taker.names.filter((each) => each !== nameOf(last)).sort();
  }

  describe(`the segment log of ${name}`, { timeout: testMsMax }, () => {
    describeCarrying();
    describeConsumers();
    describeDeadLetters();
    describeFailures();
  });

  function describeCarrying(): void {
    test('a broker with the settings of the tests is durable enough', async () => {
      const log = await open(makeQueueName());
      await log.checkDurability();
      expect([log.name, log.awayMs()]).toEqual([name, 0]);
    });

    test('what is appended comes out byte for byte, small and large', async () => {
      const log = await open(makeQueueName());
      const segments = [Buffer.from([0]), Buffer.from([255]), makeSegment(1_000), makeSegment(segmentBytesMax)];
      const taker = await new Taker(true).start(log);
      await appendAll(log, segments);
      await expect.poll(() => taker.names.length, poll).toBeGreaterThanOrEqual(segments.length);
      expect(taker.distinct).toEqual(namesOf(segments));
    });

    test('a thousand segments appended at once all come, and none twice', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const segments = Array.from({ length: 1_000 }, (_, index) => makeSegment(10 + index));
      await appendAll(log, segments);
      const taker = await new Taker(true).start(log);
      await expect.poll(() => taker.distinct.length, poll).toBe(segments.length);
      await taker.stop();
      expect(await takeRest(queueName)).toEqual([]);
      expect(taker.names.sort()).toEqual(namesOf(segments));
    });

    test('what was appended before the first consumer came waits for it', async () => {
      const queueName = makeQueueName();
      const producer = await open(queueName);
      const segments = makeSegments(20);
      await appendAll(producer, segments);
      await producer.close();
      expect(await takeRest(queueName)).toEqual(namesOf(segments));
    });

    test('the length counts what nobody has acknowledged', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const segments = makeSegments(10);
      expect((await log.measure()).segments).toBe(0);
      await appendAll(log, segments);
      await expect.poll(async () => (await log.measure()).segments, poll).toBe(segments.length);
      const taker = await new Taker(false).start(log);
      await expect.poll(() => taker.waiting.length, poll).toBe(segments.length);
      const inHand = await log.measure();
      expect(inHand.segments).toBe(log.countsInHand ? segments.length : 0);
      expect([1, null]).toContain(inHand.consumers);
      for (const delivery of taker.waiting) delivery.acknowledge();
      await expect.poll(async () => (await log.measure()).segments, poll).toBe(0);
    });
  }

  function describeConsumers(): void {
    test('a consumer has at most so many in hand as it asked for, and gets more as it acknowledges', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const segments = makeSegments(50);
      await appendAll(log, segments);
      const most = 5;
      const taker = await new Taker(false).start(log, most);
      let inHandMax = 0;
      for (let taken = 0; taken < segments.length; taken += 1) {
        await expect.poll(() => taker.waiting.length, poll).toBeGreaterThan(0);
        inHandMax = Math.max(inHandMax, taker.waiting.length);
        taker.waiting.pop()?.acknowledge();
      }
      expect(inHandMax).toBeLessThanOrEqual(most);
      expect(taker.distinct).toEqual(namesOf(segments));
    });

    test('what was acknowledged, in any order, does not come again after a restart of the consumer', async () => {
      const queueName = makeQueueName();
      const first = await open(queueName);
      const segments = makeSegments(90);
      await appendAll(first, segments);
      const taker = await new Taker(false).start(first);
      await expect.poll(() => taker.waiting.length, poll).toBe(segments.length);
      const [even, odd] = [0, 1].map((rest) => taker.waiting.filter((_, index) => index % 2 === rest));
      for (const delivery of [...(odd ?? []), ...(even ?? []).reverse()]) delivery.acknowledge();
      await taker.stop();
      await first.close();
      expect(await takeRest(queueName)).toEqual([]);
    });

    test('a consumer that stops has acknowledged what it said; the others come again', async () => {
      const queueName = makeQueueName();
      const first = await open(queueName);
      const segments = makeSegments(40);
      await appendAll(first, segments);
      const taker = await new Taker(false).start(first);
      await expect.poll(() => taker.waiting.length, poll).toBe(segments.length);
      const [done, left] = [taker.waiting.slice(0, 15), taker.waiting.slice(15)];
      for (const delivery of done) delivery.acknowledge();
      await taker.stop();
      await first.close();
      expect(await takeRest(queueName)).toEqual(namesOf(left.map(({ bytes }) => bytes)));
    });

    test('after its stop a consumer is given nothing, and a late acknowledgement does no harm', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const first = makeSegment();
      await log.append(first);
      const taker = await new Taker(false).start(log);
      await expect.poll(() => taker.waiting.length, poll).toBe(1);
      await taker.stop();
      taker.waiting[0]?.acknowledge();
      const next = makeSegment();
      await log.append(next);
      expect(await takeRest(queueName)).toEqual(namesOf([first, next]));
      expect(taker.names).toEqual([nameOf(first)]);
    });

    test("a killed consumer's segments go to another one", async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const segments = makeSegments(30);
      await appendAll(log, segments);
      const other = await startChild(queueName, deliveriesMax);
      await expect.poll(() => other.names.length, poll).toBe(segments.length);
      const taker = await new Taker(true).start(log);
      await other.kill();
      await expect.poll(() => taker.distinct, poll).toEqual(namesOf(segments));
      await taker.stop();
      expect(await takeRest(queueName)).toEqual([]);
    });

    test('a segment whose consumers are killed again and again is not given up', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const segment = makeSegment();
      await log.append(segment);
      for (let kills = 0; kills < 4; kills += 1) {
        const victim = await startChild(queueName, 1);
        await expect.poll(() => victim.names, poll).toEqual([nameOf(segment)]);
        await victim.kill();
      }
      const taker = await new Taker(true).start(log);
      await expect.poll(() => taker.has(segment), poll).toBe(true);
      expect(await log.dead.count()).toBe(0);
    });

    test('two consumers share the work', async () => {
      const queueName = makeQueueName();
      const [log, other] = [await open(queueName), await open(queueName)];
      const [one, two] = [await new Taker(true).start(log), await new Taker(true).start(other)];
      const sent: Buffer[] = [];
      const sendAndSee = async () => {
        const segments = makeSegments(50);
        await appendAll(log, segments);
        sent.push(...segments);
        return one.names.length > 0 && two.names.length > 0;
      };
      await expect.poll(sendAndSee, poll).toBe(true);
      await expect.poll(() => new Set([...one.names, ...two.names]).size, poll).toBe(sent.length);
      expect([2, null]).toContain((await log.measure()).consumers);
    });
  }

  function describeDeadLetters(): void {
    test('dead letters are buried, counted and listed, the oldest first, as often as one looks', async () => {
      const log = await open(makeQueueName());
      const startedAt = Date.now();
      const letters = [makeSegment(), makeSegment(segmentBytesMax), makeSegment(1)];
      expect([await log.dead.count(), await log.dead.list(10)]).toEqual([0, []]);
      for (const [index, bytes] of letters.entries()) await log.dead.bury(bytes, `reason ${index}, für immer`);
      await expect.poll(() => log.dead.count(), poll).toBe(letters.length);
      const list = async (limit: number) =>
        (await log.dead.list(limit)).map(({ bytes, ...letter }) => ({ ...letter, bytes: nameOf(bytes) }));
      const listed = await list(10);
      expect(listed.map(({ bytes, reason }) => ({ bytes, reason }))).toEqual(
        letters.map((bytes, index) => ({ bytes: nameOf(bytes), reason: `reason ${index}, für immer` })),
      );
      expect(new Set(listed.map(({ id }) => id)).size).toBe(letters.length);
      for (const { diedAt } of listed) {
        expect(diedAt).toBeGreaterThanOrEqual(startedAt);
        expect(diedAt).toBeLessThanOrEqual(Date.now());
      }
      for (const limit of [2, 1, 2, 10]) expect(await list(limit)).toEqual(listed.slice(0, limit));
      expect((await log.measure()).segments).toBe(0);
    });

    test('a replay puts the dead letters back into the log, once', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const letters = makeSegments(5);
      for (const bytes of letters) await log.dead.bury(bytes, 'poll_missing');
      await expect.poll(() => log.dead.count(), poll).toBe(letters.length);
      expect(await log.dead.replay()).toBe(letters.length);
      expect([await log.dead.count(), await log.dead.list(10)]).toEqual([0, []]);
      expect(await log.dead.replay()).toBe(0);
      expect(await takeRest(queueName)).toEqual(namesOf(letters));
    });

    test('dead letters are kept by the broker, not by the process that buried them', async () => {
      const queueName = makeQueueName();
      const first = await open(queueName);
      const letter = makeSegment();
      await first.dead.bury(letter, 'unreadable');
      await first.close();
      const restartBroker = await killBroker();
      await restartBroker();
      const second = await open(queueName);
      expect((await second.dead.list(1)).map(({ bytes }) => nameOf(bytes))).toEqual([nameOf(letter)]);
    });
  }

  function describeFailures(): void {
    test('while the broker is gone each append fails at once or in time, and all goes on when it is back', async () => {
      const log = await open(makeQueueName());
      const taker = await new Taker(true).start(log);
      const before = makeSegment();
      await log.append(before);
      const restartBroker = await killBroker();
      const failures = await Promise.all(makeSegments(20).map((segment) => appendOnce(log, segment)));
      for (const failure of failures) expect(failure).toBeInstanceOf(AppendFailed);
      await expect.poll(() => log.awayMs(), poll).toBeGreaterThan(0);
      expect(await appendOnce(log, makeSegment())).toMatchObject({ code: 'ingest_log_unavailable', recorded: 'no' });
      await expect(withDeadline(log.measure(), 2 * appendMsMax)).rejects.toThrow(Error);
      await restartBroker();
      const after = makeSegment();
      await expect.poll(() => appendOnce(log, after), poll).toBeUndefined();
      await expect.poll(() => taker.has(before) && taker.has(after), poll).toBe(true);
      await expect.poll(() => log.awayMs(), poll).toBe(0);
    });

    test('a log closes also while the broker is gone', async () => {
      const log = await open(makeQueueName());
      const taker = await new Taker(true).start(log);
      await killBroker();
      await withDeadline(taker.stop(), 4 * appendMsMax);
      await withDeadline(log.close(), 4 * appendMsMax);
      expect(await appendOnce(log, makeSegment())).toMatchObject({ recorded: 'no' });
    });

    test('a killed broker has what it acknowledged, and nothing of what is said not to be recorded', async () => {
      const queueName = makeQueueName();
      const log = await open(queueName);
      const sent = new Set<string>();
      const acknowledged: string[] = [];
      const notRecorded = new Set<string>();
      let lanesOpen = true;
      const lane = async () => {
        while (lanesOpen) {
          const segment = makeSegment(300);
          sent.add(nameOf(segment));
          const failure = await appendOnce(log, segment);
          if (failure === undefined) acknowledged.push(nameOf(segment));
          else if (failure.recorded === 'no') notRecorded.add(nameOf(segment));
          if (failure !== undefined) lanesOpen = false;
        }
      };
      const lanes = Array.from({ length: Math.min(64, log.appendsMax) }, lane);
      await expect.poll(() => acknowledged.length, poll).toBeGreaterThan(300);
      const restartBroker = await killBroker();
      await Promise.all(lanes);
      await restartBroker();
      await log.close();
      const rest = await takeRest(queueName);
      const found = new Set(rest);
      expect(acknowledged.filter((each) => !found.has(each))).toEqual([]);
      expect(rest.filter((each) => !sent.has(each) || notRecorded.has(each))).toEqual([]);
    });
  }
}
