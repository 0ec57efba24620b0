/** `hustings queue`: what waits in the log, and what could not be recorded. */
import type { Config } from '../config.ts';
import { decodeSegment } from '../ingest-log/segment.ts';
import type { DeadLetter, SegmentLog } from '../ingest-log/segment-log.ts';
import type { Logger } from '../lib/logger.ts';
import { SettingError } from '../lib/setting-table.ts';
import { openSegmentLog } from '../open-log.ts';

export type QueueAction = 'length' | 'dead' | 'replay';

/** Letters shown at most, and bytes shown of one. */
const lettersMax = 100;
const bytesShown = 48;

/** Answers what to print. @throws {Error} one line, where the broker does not answer */
export async function queue(config: Config, action: QueueAction, log: Logger): Promise<string> {
  const choice = config.ingestLog;
  if (choice.name === 'direct')
    throw new SettingError('There is no queue with --queue direct: ballots are recorded at once.');
  const segments = await openSegmentLog(choice, { durability: 'process' }, log);
  try {
    if (action === 'length') return await describeLength(segments);
    if (action === 'dead') return await describeDead(segments);
    return `${await segments.dead.replay()} dead letters were appended to the log again.`;
  } finally {
    await segments.close();
  }
}

async function describeLength(log: SegmentLog): Promise<string> {
  const [{ segments, consumers }, dead] = await Promise.all([log.measure(), log.dead.count()]);
  return [
    `log         ${log.name}`,
    `waiting     ${segments} segments${log.countsInHand ? '' : ' that no worker was given yet'}`,
    `workers     ${consumers ?? 'not known'}`,
    `dead        ${dead} letters${dead > 0 ? ' (hustings queue dead, hustings queue replay)' : ''}`,
  ].join('\n');
}

async function describeDead({ dead }: SegmentLog): Promise<string> {
  const letters = await dead.list(lettersMax);
  return letters.length === 0 ? 'There are no dead letters.' : letters.map(describeLetter).join('\n');
}

function describeLetter({ id, bytes, reason, diedAt }: DeadLetter): string {
  const raw = `${bytes.toString('hex', 0, bytesShown)}${bytes.length > bytesShown ? ' …' : ''}`;
  return `${new Date(diedAt).toISOString()}  ${id}  ${reason}\n    ${describeContent(bytes)}, ${bytes.length} bytes: ${raw}`;
}

function describeContent(bytes: Buffer): string {
  try {
    return `${decodeSegment(bytes).ballots.length} ballots`;
  } catch {
    return 'no segment';
  }
}
