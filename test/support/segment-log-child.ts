/**
 * A consumer in a process of its own, which a test kills: `segment-log-child.ts <adapter> <url> <queue name> <deliveries max>`.
 * It tells its parent of each segment (as base64) and acknowledges none.
 */
import process from 'node:process';
import pino from 'pino';
import { segmentLogs, type TestedLog } from './segment-logs.ts';

const [name, url, queueName, deliveriesMax] = process.argv.slice(2);
if (!isTestedLog(name) || url === undefined || queueName === undefined) throw new Error('Which log?');

const log = await segmentLogs[name]({ url, queueName, log: pino({ level: 'warn' }, pino.destination(2)) });
await log.consume(({ bytes }) => process.send?.(bytes.toString('base64')), Number(deliveriesMax));

function isTestedLog(text: string | undefined): text is TestedLog {
  return text !== undefined && Object.hasOwn(segmentLogs, text);
}
