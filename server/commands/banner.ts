/** What a started server says: where to vote, where to present, and how to manage the sample poll. */
import { networkInterfaces } from 'node:os';
import { renderUnicodeCompact } from 'uqr';
import { toPublicUrl, type Config } from '../config.ts';
import type { Running } from '../compose.ts';

type BannerFacts = Pick<Running, 'port' | 'resultsPort' | 'metricsPort' | 'sample'>;

const anyAddress = new Set(['0.0.0.0', '::']);
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

export function toBanner(config: Config, { port, resultsPort, metricsPort, sample }: BannerFacts): string {
  const url = toReachableUrl(config, port);
  return [
    'Hustings is ready.',
    '',
    `  Open         ${url}/`,
    ...(resultsPort === null ? [] : [`  Results      ${toResultsPlace(config, resultsPort)}`]),
    ...(sample === null ? [] : toSampleLines(url, sample)),
    `  API          ${url}/docs`,
    `  Ballots      ${config.database.kind === 'embedded' ? `embedded PostgreSQL in ${config.dataFolder}` : String(config.database.url)}`,
    ...(config.ingestLog.name === 'direct' ? [] : [`  Queue        ${toQueueText(config)}`]),
    `  Durability   ${durabilities[config.durability]}`,
    ...(metricsPort === null ? [] : [`  Metrics      ${toMetricsPlace(config, metricsPort)}`]),
    '',
    ...(sample === null ? [] : [toQrCode(`${url}/p/${sample.slug}`), '']),
    ...(isForThisMachineOnly(config)
      ? ['  Only this machine can open it. For everybody in the room: npm start -- --host 0.0.0.0', '']
      : []),
    '  Stop with Ctrl-C.',
  ].join('\n');
}

const durabilities: Readonly<Record<Config['durability'], string>> = {
  strict: 'strict: a receipt survives a power cut',
  process: 'process: a receipt survives a killed process, not a power cut',
};

function toSampleLines(url: string, { slug, manageKey }: NonNullable<Running['sample']>): string[] {
  const page = `${url}/p/${slug}`;
  return [
    `  Vote         ${page}`,
    `  Present      ${page}/present`,
    ...(manageKey === null ? [] : [`  Manage       ${page}/manage#${manageKey}`, '               (shown this once)']),
  ];
}

/** Where a proxy stands in front, only the port is known here. */
function toResultsPlace(config: Config, resultsPort: number): string {
  return config.publicUrl === undefined ? `${toReachableUrl(config, resultsPort)}/` : `port ${resultsPort}`;
}

/** Where this machine reaches them. Of several processes each has a port of its own. */
export function toMetricsPlace(config: Config, metricsPort: number): string {
  const { metricsHost, processes } = config;
  const url = `${toPublicUrl({ publicUrl: undefined, host: metricsHost, port: metricsPort })}/metrics`;
  if (processes === 1) return url;
  // Port 0 lets the system choose, for each of them another one.
  return config.metricsPort === 0 ? `${url} of the first process` : `${url}, and the ${processes - 1} ports after it`;
}

/** The public URL, where the server listens on every address with that of this machine in its network: what phones can open. */
function toReachableUrl(config: Config, port: number): string {
  if (config.publicUrl !== undefined || !anyAddress.has(config.host)) return toPublicUrl(config, port);
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  return address === undefined ? toPublicUrl(config, port) : `http://${address}:${port}`;
}

function isForThisMachineOnly({ publicUrl, host }: Config): boolean {
  return publicUrl === undefined && loopback.has(host);
}

/** Light on dark, as terminals are. */
function toQrCode(text: string): string {
  return renderUnicodeCompact(text, { border: 2 }).replaceAll(/^/gmu, '  ');
}

function toQueueText({ ingestLog, worker }: Config): string {
  const who = worker ? 'this server records, and so may workers' : 'workers record: hustings worker';
  return `${ingestLog.name}; ${who}`;
}
