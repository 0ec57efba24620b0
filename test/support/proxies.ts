/** The reverse proxies of deploy/proxies, run as they stand there but for ports, files and the certificate. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { installDebianPackages } from '../../scripts/services/debian.ts';
import { openGuard } from '../../scripts/services/guard.ts';
import { findIn, findProgram } from '../../scripts/services/installed.ts';
import { answersOn, findFreePort } from '../../scripts/services/ports.ts';
import { startProgram } from '../../scripts/services/program.ts';

export type ProxyName = 'nginx' | 'caddy' | 'haproxy';

export type RunningProxy = {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The certificate that it shows, for clients to trust. */
  readonly certificate: string;
  stop(): Promise<void>;
};

/** What the files in deploy/proxies call themselves. */
export const publicHost = 'vote.example.org';

type Place = {
  readonly folder: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly serverUrl: URL;
};
type Replacement = readonly [standing: string, here: string];

type Proxy = {
  readonly file: string;
  readonly packages: readonly string[];
  args(folder: string): string[];
  replacements(place: Place): Replacement[];
};

const proxies: Readonly<Record<ProxyName, Proxy>> = {
  nginx: {
    file: 'nginx.conf',
    packages: ['nginx-light'],
    args: (folder) => ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`, '-g', 'daemon off;'],
    replacements: ({ folder, httpPort, httpsPort, serverUrl }) => [
      ['user www-data;', ''],
      // A test machine may allow fewer files than a proxy in earnest needs.
      ['worker_rlimit_nofile 131072;', ''],
      ['worker_connections 65536;', 'worker_connections 256;'],
      ['worker_processes auto;', 'worker_processes 2;'],
      ['/run/nginx.pid', `${folder}/nginx.pid`],
      ['error_log /var/log/nginx/error.log error;', nginxPlaces],
      ['server 127.0.0.1:8000;', `server ${serverUrl.host};`],
      ['listen 80;', `listen 127.0.0.1:${httpPort};`],
      ['listen 443 ssl', `listen 127.0.0.1:${httpsPort} ssl`],
      [`/etc/letsencrypt/live/${publicHost}/fullchain.pem`, `${folder}/certificate.pem`],
      [`/etc/letsencrypt/live/${publicHost}/privkey.pem`, `${folder}/key.pem`],
    ],
  },
  caddy: {
    file: 'Caddyfile',
    packages: ['caddy'],
    args: (folder) => ['run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
    replacements: ({ folder, httpPort, httpsPort, serverUrl }) => [
      ['admin off', `admin off\nhttp_port ${httpPort}\nhttps_port ${httpsPort}\ndefault_bind 127.0.0.1`],
      [`${publicHost} {`, `${publicHost} {\ntls ${folder}/certificate.pem ${folder}/key.pem`],
      ['reverse_proxy 127.0.0.1:8000', `reverse_proxy ${serverUrl.host}`],
    ],
  },
  haproxy: {
    file: 'haproxy.cfg',
    packages: ['haproxy'],
    args: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
    replacements: ({ folder, httpPort, httpsPort, serverUrl }) => [
      ['maxconn 60000', 'maxconn 256'],
      ['bind :80', `bind 127.0.0.1:${httpPort}`],
      ['bind :443 ssl', `bind 127.0.0.1:${httpsPort} ssl`],
      [`/etc/haproxy/${publicHost}.pem`, `${folder}/both.pem`],
      ['server one 127.0.0.1:8000', `server one ${serverUrl.host}`],
    ],
  },
};

const nginxPlaces = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((each) => `${each}_temp_path ${each};`)
  .join('\n');
const configurations = path.resolve(import.meta.dirname, '../../deploy/proxies');
const systemFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];
/** Debian's `nobody`. A proxy of a test owns nothing but its folder. */
const nobody = 65_534;
const execute = promisify(execFile);

/** The program, installed where that is possible; null where there is none. @throws {Error} in CI, where nothing is left out in silence */
export async function provideProxy(name: ProxyName): Promise<string | null> {
  const find = (): string | null => findProgram([name]) ?? findIn(systemFolders, name);
  const reason = find() === null ? await installDebianPackages(proxies[name].packages, () => find() === null) : null;
  const command = find();
  if (command === null && (process.env['CI'] ?? 'false') !== 'false') {
    throw new Error(`There is no ${name} here: ${reason ?? 'apt-get installed none'}.`);
  }
  return command;
}

/** Resolves when it answers. It runs as nobody where the tests run as root. */
export async function startProxy(name: ProxyName, command: string, serverUrl: string): Promise<RunningProxy> {
  const folder = await mkdtemp(path.join(tmpdir(), `hustings-${name}-`));
  const guard = openGuard(folder);
  const place = {
    folder,
    httpPort: await findFreePort(),
    httpsPort: await findFreePort(),
    serverUrl: new URL(serverUrl),
  };
  const certificate = await makeCertificate(folder);
  await writeConfiguration(proxies[name], place);
  const program = [command, ...proxies[name].args(folder)];
  const asRoot = process.getuid?.() === 0;
  if (asRoot) await giveAway(folder);
  const [first = command, ...args] = asRoot
    ? ['/usr/bin/setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...program]
    : program;
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const answers = (): Promise<boolean> => answersOn(place.httpsPort);
  const service = await startProgram({ name, command: first, args, env, folder, answers }, guard);
  return {
    httpPort: place.httpPort,
    httpsPort: place.httpsPort,
    certificate,
    async stop() {
      await service.kill();
      await guard.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @throws {Error} where something that must be replaced is not in the file any more */
async function writeConfiguration({ file, replacements }: Proxy, place: Place): Promise<void> {
  let text = await readFile(path.join(configurations, file), 'utf8');
  for (const [standing, here] of replacements(place)) {
    if (!text.includes(standing)) throw new Error(`${file} says no "${standing}".`);
    text = text.replaceAll(standing, here);
  }
  await writeFile(path.join(place.folder, file), text);
}

async function makeCertificate(folder: string): Promise<string> {
  const [key, certificate] = [`${folder}/key.pem`, `${folder}/certificate.pem`];
  const form = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${publicHost}`, '-addext', `subjectAltName=DNS:${publicHost}`];
  await execute('openssl', ['req', '-x509', ...form, ...subject, '-keyout', key, '-out', certificate]);
  const texts = await Promise.all([certificate, key].map((file) => readFile(file, 'utf8')));
  await writeFile(`${folder}/both.pem`, texts.join(''));
  return texts[0] ?? '';
}

async function giveAway(folder: string): Promise<void> {
  const files = ['', 'key.pem', 'certificate.pem', 'both.pem'];
  await Promise.all(files.map((file) => chown(path.join(folder, file), nobody, nobody)));
}
