/** What the doctor asks the broker that carries ballots. */
import type { Config } from '../../config.ts';
import type { SegmentLog } from '../../ingest-log/segment-log.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/within.ts';
import { openSegmentLog } from '../../open-log.ts';
import { fail, ok, toReason, warn, type Finding } from './finding.ts';

const answerMsMax = 15_000;

/** Nothing to say where ballots are recorded at once. */
export async function checkBroker(config: Config, log: Logger): Promise<Finding[]> {
  const choice = config.ingestLog;
  if (choice.name === 'direct') return [];
  const opening = openSegmentLog(choice, { durability: 'process' }, log);
  let segments: SegmentLog;
  try {
    segments = await within(answerMsMax, opening);
  } catch (error) {
    // One that comes too late is not left open.
    void opening.then(
      (late) => late.close(),
      () => {},
    );
    return [fail(choice.name, toReason(error))];
  }
  try {
    return [await checkDurability(segments, config), ...(await measure(segments, config))];
  } finally {
    await segments.close();
  }
}

async function checkDurability(segments: SegmentLog, { durability }: Config): Promise<Finding> {
  try {
    await within(answerMsMax, segments.checkDurability());
    return ok(segments.name, 'it answers, and keeps what it has acknowledged.');
  } catch (error) {
    return (durability === 'strict' ? fail : warn)(segments.name, toReason(error));
  }
}

async function measure(segments: SegmentLog, config: Config): Promise<Finding[]> {
  try {
    const [length, dead] = await within(answerMsMax, Promise.all([segments.measure(), segments.dead.count()]));
    return [toQueueFinding(length, config), toDeadFinding(dead, segments.name)];
  } catch (error) {
    return [fail('queue', toReason(error))];
  }
}

function toQueueFinding(
  { segments, consumers }: { segments: number; consumers: number | null },
  { segmentsWaitingMax, worker }: Config,
): Finding {
  const shown = `${segments} segments wait, workers: ${consumers ?? 'not known'}`;
  if (segments >= segmentsWaitingMax) {
    return fail('queue', `${shown}. That is --segments-waiting-max, and ballots are refused: start more workers.`);
  }
  if (consumers === 0 && !worker) {
    return warn('queue', `${shown}. Ballots are accepted and not counted: start "hustings worker".`);
  }
  if (segments > segmentsWaitingMax / 2)
    return warn('queue', `${shown}, more than half of --segments-waiting-max: start more workers.`);
  return ok('queue', `${shown}.`);
}

function toDeadFinding(count: number, name: string): Finding {
  if (count === 0) return ok('dead letters', 'none.');
  return warn(
    'dead letters',
    `${count} segments could not be recorded: "hustings queue dead --queue ${name}" says why, "hustings queue replay --queue ${name}" tries again.`,
  );
}
