/**
 * Votes through each broker beside the direct log (V14): accepted and counted votes/s, with and without HTTP, with the worker in the server and
 * in a process of its own; and beside the broker's client library alone, with segments and with one vote per message.
 *
 * A rate of counted votes is taken over the time from the first send until the ledger is seen to have all that were acknowledged.
 */
import { randomBytes } from 'node:crypto';
import { startServices } from '../scripts/services/start-services.ts';
import { encodeSegment } from '../server/ingest-log/segment.ts';
import type { BareOrder, BrokerName } from './bare-client-process.ts';
import { startCallSide, startHttpSide, type Rates, type Side, type SidePlan } from './log-sides.ts';
import { toFigure, type Figure } from './pairs.ts';
import { runBareClient } from './programs.ts';
import type { BenchOptions, Question } from './question.ts';
import { median, quantile } from './statistics.ts';

type BrokerUrls = {
  readonly redisUrls?: readonly string[];
  readonly rabbitmqUrl?: string;
  readonly kafkaBrokers?: string;
};

/**
 * How many messages are under way. Segments: as many as our adapter sends with so many calls. Single votes: of 1,000 and 10,000 the
 * faster in one try of a second, on a busy machine.
 */
const brokers = {
  redis: { client: '@redis/client', segmentsInFlight: 2, singlesInFlight: 1_000 },
  rabbitmq: { client: 'rabbitmq-client', segmentsInFlight: 10, singlesInFlight: 1_000 },
  kafka: { client: '@platformatic/kafka', segmentsInFlight: 4, singlesInFlight: 10_000 },
} as const;

const callsInFlight = 10_000;
/**
 * With fewer, clients that wait for each answer measure how long an acknowledgement takes: on 2026-11-21 with 64, neither the server nor the
 * client was busy, and Kafka counted half as many as the direct log. `accepted to counted` tells of that time.
 */
const connectionsMin = 256;
/** What a segment holds when so many calls are under way. */
const segmentBallots = 1_000;
const bareSeconds = 1;

export const logs: Question = async (options) => {
  const figures: Figure[] = [];
  for (const name of options.brokers) figures.push(...(await measureBroker(name, options)));
  return figures;
};

async function measureBroker(name: BrokerName, given: BenchOptions): Promise<Figure[]> {
  const options = { ...given, connections: Math.max(given.connections, connectionsMin) };
  const services = await startServices(['postgres', name]);
  try {
    const url = toUrl(services.urls);
    const planOf = (side: string, log: SidePlan['log'], workerApart = false): SidePlan => ({
      name: `${side}_${randomBytes(4).toString('hex')}`,
      postgresUrl: services.urls.postgresUrl,
      log,
      workerApart,
    });
    const direct = { name: 'direct' } as const;
    const broker = { name, url };
    const overHttp = await measureSides(options, {
      direct: await startHttpSide(planOf('direct', direct), options),
      together: await startHttpSide(planOf('together', broker), options),
      apart: await startHttpSide(planOf('apart', broker, true), options),
    });
    const order = { seconds: options.seconds, inFlight: callsInFlight };
    const byCalls = await measureSides(options, {
      direct: await startCallSide(planOf('direct', direct), order),
      together: await startCallSide(planOf('together', broker), order),
      apart: await startCallSide(planOf('apart', broker, true), order),
      adapter: toBareSide(name, url, segmentBallots, 'adapter'),
      segments: toBareSide(name, url, segmentBallots),
      singles: toBareSide(name, url, 1),
    });
    return [...toHttpFigures(name, overHttp), ...toCallFigures(name, byCalls)];
  } finally {
    await services.stop();
  }
}

/** One round to get warm, then as many as pairs are asked for. */
async function measureSides<Name extends string>(
  { pairs }: BenchOptions,
  sides: Readonly<Record<Name, Side>>,
): Promise<Record<Name, Rates[]>> {
  const names = Object.keys(sides) as Name[]; // The keys of the record itself.
  const rates = Object.fromEntries(names.map((name) => [name, [] as Rates[]])) as Record<Name, Rates[]>; // One for each name.
  try {
    for (let round = 0; round <= pairs; round += 1) {
      for (const name of names) {
        const slice = await sides[name].slice();
        if (round > 0) rates[name].push(slice);
      }
    }
    return rates;
  } finally {
    await Promise.all(names.map((name) => sides[name].stop()));
  }
}

/** Writes the bytes of segments of so many ballots, and every ballot in them counts as a vote. */
function toBareSide(broker: BrokerName, url: string, ballots: number, writer: BareOrder['writer'] = 'client'): Side {
  const messageBytes = toSegmentLength(ballots);
  const { segmentsInFlight, singlesInFlight } = brokers[broker];
  const inFlight = ballots === 1 ? singlesInFlight : segmentsInFlight;
  return {
    async slice() {
      const { perSecond } = await runBareClient({ broker, url, writer, messageBytes, inFlight, seconds: bareSeconds });
      return { accepted: perSecond * ballots, counted: 0, delays: [] };
    },
    stop: () => Promise.resolve(),
  };
}

function toSegmentLength(ballots: number): number {
  const ballot = {
    poll: { pollNo: 1, ballotForm: 1 },
    id: randomBytes(16),
    acceptedUs: 1,
    voterKey: randomBytes(16),
    retryKey: null,
    follows: null,
    selections: [1],
  };
  const head = { ledger: randomBytes(8), nodeId: randomBytes(16), segmentNo: 1 };
  return encodeSegment(
    head,
    Array.from({ length: ballots }, () => ballot),
  ).length;
}

type Measured<Name extends string> = Readonly<Record<Name, readonly Rates[]>>;

function toHttpFigures(
  name: BrokerName,
  { direct, together, apart }: Measured<'direct' | 'together' | 'apart'>,
): Figure[] {
  const plan = (how: string) => ({
    question: 'V14',
    what: `${name} ÷ direct, counted votes/s over HTTP, ${how}, at least ${connectionsMin} connections`,
    target: 0.8,
  });
  const noteOf = (rates: readonly Rates[]): string =>
    `accepted ${toAccepted(rates)}; accepted to counted ${toDelays(rates)}; direct, request to counted, ${toDelays(direct)}`;
  return [
    toFigure(plan('worker in the server'), countedOf(together), countedOf(direct), noteOf(together)),
    toFigure(plan('worker apart'), countedOf(apart), countedOf(direct), noteOf(apart)),
  ];
}

type CallSides = 'direct' | 'together' | 'apart' | 'adapter' | 'segments' | 'singles';

function toCallFigures(
  name: BrokerName,
  { direct, together, apart, adapter, segments, singles }: Measured<CallSides>,
): Figure[] {
  const { client } = brokers[name];
  const counted = (how: string) => ({
    question: 'V14',
    what: `${name} ÷ direct, counted votes/s by calls, ${how}`,
    target: 0.8,
  });
  const note = (rates: readonly Rates[]): string => `accepted ${toAccepted(rates)}; ${callsInFlight} calls under way`;
  const bare = {
    question: 'logs',
    what: `${name}, votes/s by our adapter ÷ by bare ${client}, segments of ${segmentBallots}, none counted`,
    target: null,
  };
  const single = {
    question: 'logs',
    what: `bare ${client}, votes/s in segments of ${segmentBallots} ÷ one vote per message`,
    target: null,
  };
  return [
    toFigure(counted('worker in the server'), countedOf(together), countedOf(direct), note(together)),
    toFigure(counted('worker apart'), countedOf(apart), countedOf(direct), note(apart)),
    toFigure(bare, acceptedOf(adapter), acceptedOf(segments), ''),
    toFigure(single, acceptedOf(segments), acceptedOf(singles), ''),
  ];
}

function countedOf(rates: readonly Rates[]): number[] {
  return rates.map(({ counted }) => counted);
}

function acceptedOf(rates: readonly Rates[]): number[] {
  return rates.map(({ accepted }) => accepted);
}

function toAccepted(rates: readonly Rates[]): string {
  return `${Math.round(median(acceptedOf(rates))).toLocaleString('en')}/s`;
}

function toDelays(rates: readonly Rates[]): string {
  const delays = rates.flatMap((each) => each.delays);
  const [p50 = 0, p99 = 0] = [0.5, 0.99].map((share) => quantile(delays, share));
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function toUrl({ redisUrls, rabbitmqUrl, kafkaBrokers }: BrokerUrls): string {
  return redisUrls?.[0] ?? rabbitmqUrl ?? kafkaBrokers ?? '';
}
