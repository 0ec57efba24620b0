/** What the doctor thinks of settings that no service answers for: tokens, the public address, ports. */
import { createServer } from 'node:net';
import { toPublicUrl, type Config } from '../../config.ts';
import { fail, ok, toReason, warn, type Finding } from './finding.ts';

const answerMsMax = 5_000;
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** A port to listen on, and the setting that names it. */
type Door = { readonly name: string; readonly host: string; readonly port: number };

export async function checkSetup(config: Config): Promise<Finding[]> {
  const { host, metricsHost, metricsPort } = config;
  const doors: Door[] = [{ name: '--port', host, port: config.port }];
  if (config.preset === 'duel') doors.push({ name: 'RESULTS_PORT', host, port: config.resultsPort });
  if (metricsPort !== undefined) doors.push({ name: '--metrics-port', host: metricsHost, port: metricsPort });
  return [
    ...(await checkTokens(config)),
    ...checkAddress(config),
    ...(await Promise.all(doors.filter(({ port }) => port !== 0).map(checkPort))),
  ];
}

async function checkTokens({ tokens, durability }: Pick<Config, 'tokens' | 'durability'>): Promise<Finding[]> {
  if (tokens === null) return [ok('tokens', 'none are taken; polls with the electorate "token" cannot be made.')];
  const audience =
    tokens.audience === undefined && tokens.keys === 'published'
      ? [
          warn(
            'tokens',
            'JWT_AUDIENCE is not set, so tokens that the issuer signed for other services count here, too. Set it.',
          ),
        ]
      : [];
  if (tokens.keys === 'secret') {
    const trial = durability === 'process' ? ', whose strength is not checked with --durability process' : '';
    return [ok('tokens', `${tokens.algorithm} with JWT_SECRET_KEY${trial}.`), ...audience];
  }
  return [await askKeys(tokens.url, tokens.algorithm), ...audience];
}

async function askKeys(url: string, algorithm: string): Promise<Finding> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) });
    const body: unknown = await response.json();
    const keys =
      typeof body === 'object' && body !== null && 'keys' in body && Array.isArray(body.keys) ? body.keys : [];
    if (response.ok && keys.length > 0) return ok('tokens', `${algorithm}, ${keys.length} published keys at ${url}.`);
    return fail('tokens', `${url} answers ${response.status} with ${keys.length} keys. Correct JWT_JWKS_URL.`);
  } catch (error) {
    return fail(
      'tokens',
      `${url} gives no keys: ${toReason(error)}. Correct JWT_JWKS_URL, or let this machine reach it.`,
    );
  }
}

type AddressSettings = Pick<Config, 'publicUrl' | 'host' | 'port' | 'trustedProxies'>;

/** How voters come here, by the settings alone. */
export function checkAddress(config: AddressSettings): Finding[] {
  return [checkPublicUrl(config), ...checkProxies(config)];
}

function checkPublicUrl({ publicUrl, host, port, trustedProxies }: AddressSettings): Finding {
  const url = new URL(toPublicUrl({ publicUrl, host, port }));
  if (publicUrl === undefined) {
    if (trustedProxies.length > 0) return ok('address', 'links and QR codes say what the proxy does.');
    if (port === 0) return ok('address', 'a port that the system chooses at each start.');
    if (loopback.has(host)) return ok('address', `${url.origin}, for this machine only.`);
    return warn('address', `links and QR codes say ${url.origin}. Set HUSTINGS_PUBLIC_URL to what voters type.`);
  }
  if (url.protocol === 'https:' || loopback.has(url.hostname)) return ok('address', `voters see ${url.origin}.`);
  return warn(
    'address',
    `${url.origin} is not encrypted, and cookies and keys go over it. Put a proxy with TLS in front and set HUSTINGS_PUBLIC_URL to https://.`,
  );
}

function checkProxies({ publicUrl, trustedProxies }: AddressSettings): Finding[] {
  if (trustedProxies.length > 0) {
    return [
      ok('proxy', `X-Forwarded-For tells the address of a voter where it comes from ${trustedProxies.join(', ')}.`),
    ];
  }
  if (publicUrl?.startsWith('https:') !== true) return [];
  return [
    warn(
      'proxy',
      'only a proxy can serve https:// here, and all voters share its address and the limits for one. Set HUSTINGS_TRUSTED_PROXIES to the address of the proxy: loopback where it runs on this machine.',
    ),
  ];
}

async function checkPort({ name, host, port }: Door): Promise<Finding> {
  const code = await tryPort(host, port);
  if (code === null) return ok('port', `${port} is free.`);
  if (code === 'EADDRINUSE') {
    if (await isHustings(host, port)) return ok('port', `a Hustings answers on ${port}.`);
    return fail('port', `another program listens on ${port}. End it, or choose another with ${name}.`);
  }
  if (code === 'EACCES')
    return fail('port', `this user may not listen on ${port}. Choose one of 1024 or more with ${name}.`);
  if (code === 'EADDRNOTAVAIL') return fail('port', `${host} is no address of this machine. Correct HOST.`);
  return fail('port', `nothing can listen on ${host}:${port} (${code}).`);
}

/** null: it is free. Otherwise the system's code. */
function tryPort(host: string, port: number): Promise<string | null> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<string | null>();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  return promise;
}

async function isHustings(host: string, port: number): Promise<boolean> {
  try {
    const url = toPublicUrl({ publicUrl: undefined, host, port });
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerMsMax) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'status' in body && body.status === 'alive';
  } catch {
    return false; // Whoever listens there does not talk as we do.
  }
}
