import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { inject } from 'vitest';
import { createDirectIngestLog } from '../../server/ingest-log/direct.ts';
import { createOutstanding } from '../../server/ingest-log/outstanding.ts';
import { createQueuedIngestLog } from '../../server/ingest-log/queued.ts';
import { createSegmentRecording } from '../../server/intake/segment-recording.ts';
import { createWorker } from '../../server/intake/worker.ts';
import { createInsist } from '../../server/lib/insist.ts';
import {
  describeIngestLog,
  ingestLogPoll,
  type OpenedLog,
  type OpenLogOptions,
} from '../support/describe-ingest-log.ts';
import { segmentLogs, type TestedLog } from '../support/segment-logs.ts';

const silent = pino({ level: 'silent' });
const ledger = Buffer.alloc(8, 5);
const insist = createInsist(silent);

describeIngestLog('direct', (_queueName, { recorder, ballotsWaitingMax }) => {
  const log = createDirectIngestLog(recorder, { ballotsWaitingMax });
  return Promise.resolve({ log, startRecording: () => Promise.resolve(), stop: log.drain });
});

const brokerUrls: Readonly<Record<TestedLog, () => string>> = {
  redis: () => inject('redisUrls')[0] ?? '',
  rabbitmq: () => inject('rabbitmqUrl'),
  kafka: () => inject('kafkaBrokers'),
};

for (const name of ['redis', 'rabbitmq', 'kafka'] as const) {
  describeIngestLog(name, (queueName, options) => openQueued(name, queueName, options));
}

async function openQueued(name: TestedLog, queueName: string, options: OpenLogOptions): Promise<OpenedLog> {
  const { recorder, ballotsWaitingMax } = options;
  const segments = await segmentLogs[name]({ url: brokerUrls[name](), queueName, log: silent });
  const log = createQueuedIngestLog(
    {
      segments,
      outstanding: createOutstanding(),
      clockErrorMs: () => 0,
      backlog: () => 0,
      settledThrough: () => 0,
      log: silent,
    },
    {
      ledger,
      nodeId: randomBytes(16),
      ballotsWaitingMax,
      segmentsWaitingMax: 1_000,
      segmentBallotsMax: 100,
    },
  );
  const worker = createWorker({
    segments,
    recordBallots: createSegmentRecording({
      recorder,
      readPoll: () => Promise.resolve(ingestLogPoll),
      peekPoll: () => ingestLogPoll,
      followers: { awaitDecision: () => Promise.resolve() },
      insist,
    }),
    insist,
    progress: { settle: () => Promise.resolve() },
    ledger,
    log: silent,
  });
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    await log.drain();
    await worker.stop();
    await segments.close();
  };
  return { log, startRecording: worker.start, stop: () => (stopped ??= stop()) };
}
