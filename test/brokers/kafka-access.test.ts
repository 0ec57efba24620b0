/** A Kafka that speaks TLS, and lets in only whom it knows: by user and password, or by certificate. */
import { pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { alterUserScramCredentialsV0, ConnectionPool } from '@platformatic/kafka';
import pino from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startKafka, type KafkaService } from '../../scripts/services/kafka.ts';
import { diagnose } from '../../server/commands/doctor.ts';
import { queue } from '../../server/commands/queue.ts';
import { parseConfig } from '../../server/config.ts';
import { openSegmentLog } from '../../server/open-log.ts';
import { startWorker } from '../../server/run-worker.ts';
import { makeAuthority, type Authority, type Certificate } from '../support/certificates.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { createPoll, get, post } from '../support/http.ts';
import { runCommand } from '../support/run-command.ts';
import { createDatabase, startOn } from '../support/server.ts';

type Env = Readonly<Record<string, string>>;

const wait = { timeout: 50_000, interval: 50 };
const silent = pino({ level: 'silent' });
const user = 'televote';
const password = 'of the tests';

let folder: string;
let authority: Authority;
let stranger: Authority;
let client: Certificate;
let broker: KafkaService;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hustings-kafka-access-'));
  authority = await makeAuthority(folder, 'authority');
  stranger = await makeAuthority(folder, 'stranger');
  client = await authority.sign('client', ['DNS:client']);
  broker = await startGuardedKafka(await authority.sign('broker', ['IP:127.0.0.1']));
  await setPassword(user, password);
});

afterAll(async () => {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
});

function startGuardedKafka({ cert, key }: Certificate): Promise<KafkaService> {
  const module = 'org.apache.kafka.common.security';
  const ofSasl = 'listener.name.sasl_ssl';
  return startKafka(path.join(folder, 'kafka'), {
    protocols: ['SASL_SSL', 'SSL'],
    settings: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': cert,
      'ssl.keystore.key': key,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': authority.cert,
      'listener.name.ssl.ssl.client.auth': 'required',
      [`${ofSasl}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      [`${ofSasl}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required user_${user}="${password}";`,
      [`${ofSasl}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
      [`${ofSasl}.scram-sha-512.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
    },
  });
}

/** As `kafka-configs.sh --alter --add-config 'SCRAM-SHA-512=[password=...]'` does it, for both mechanisms. */
async function setPassword(name: string, text: string): Promise<void> {
  const [host = '', port] = broker.brokers.split(':');
  const pool = new ConnectionPool('test');
  const iterations = 4_096;
  const salt = randomBytes(16);
  try {
    const connection = await pool.get({ host, port: Number(port) });
    for (const [mechanism, hash, length] of [
      [1, 'sha256', 32],
      [2, 'sha512', 64],
    ] as const) {
      const saltedPassword = pbkdf2Sync(text, salt, iterations, length, hash);
      const change = { name, mechanism, iterations, salt, saltedPassword };
      await alterUserScramCredentialsV0.api.async(connection, [], [change]);
    }
  } finally {
    await pool.close();
  }
}

/** What a server needs to be let in by its password, with a topic of its own. */
function toEnv(changes: Record<string, string | undefined> = {}): Env {
  const name = `access_${randomBytes(6).toString('hex')}`;
  const all = {
    KAFKA_BROKERS: broker.brokersOf('SASL_SSL'),
    KAFKA_TOPIC: name,
    KAFKA_GROUP_ID: name,
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA: authority.certFile,
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

const noUser = { KAFKA_SASL_MECHANISM: undefined, KAFKA_SASL_USERNAME: undefined, KAFKA_SASL_PASSWORD: undefined };
const noTls = { KAFKA_SSL: undefined, KAFKA_SSL_CA: undefined };

const flags = ['--queue', 'kafka', '--preset', 'none', '--metrics-port', '0'];

test('over TLS and by password ballots are accepted by a server and counted by a worker, and the other commands are let in too', async () => {
  const databaseUrl = await createDatabase();
  const env = toEnv();
  const server = await startOn(databaseUrl, [...flags, '--worker=false'], env);
  const config = parseConfig({ argv: flags, env: { ...env, DATABASE_URL: databaseUrl } });
  const poll = await createPoll(server.url);
  const cast = () => post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: randomUUID() });
  const answers = await Promise.all(Array.from({ length: 50 }, cast));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const worker = await startWorker(config, { log: silent, onProgress: () => undefined, onLost: () => undefined });
  onTestFinished(worker.stop);
  await expect
    .poll(async () => (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json, wait)
    .toMatchObject({ total: 50 });
  await expect.poll(() => queue(config, 'length', silent), wait).toMatch(/waiting +0 segments\nworkers +1\ndead +0/u);
  const { report } = await diagnose({ ...config, port: 0 }, silent);
  expect(report).toContain('ok   kafka: it answers');
});

test.for<[by: string, changes: () => Record<string, string | undefined>]>([
  ['PLAIN', () => ({ KAFKA_SASL_MECHANISM: 'PLAIN' })],
  ['SCRAM-SHA-256', () => ({ KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256' })],
  ['a certificate of its own', () => ({ ...noUser, ...byCertificate(client) })],
])('a segment goes in and comes out by %s', async ([, changes]) => {
  const log = await openLog(toEnv(changes()));
  const texts: string[] = [];
  await log.append(Buffer.from('a segment'));
  await log.consume(({ bytes, acknowledge }) => {
    texts.push(String(bytes));
    acknowledge();
  }, 10);
  await expect.poll(() => texts, wait).toEqual(['a segment']);
  await log.dead.bury(Buffer.from('a letter'), 'of a test');
  expect(await log.dead.list(10)).toMatchObject([{ bytes: Buffer.from('a letter') }]);
});

function byCertificate({ certFile, keyFile }: Certificate): Record<string, string> {
  return { KAFKA_BROKERS: broker.brokersOf('SSL'), KAFKA_SSL_CERT: certFile, KAFKA_SSL_KEY: keyFile };
}

async function openLog(env: Env) {
  const { ingestLog, durability } = parseConfig({ argv: flags, env });
  if (ingestLog.name === 'direct') throw new Error('The tests ask for Kafka.');
  const log = await openSegmentLog(ingestLog, { durability }, silent);
  onTestFinished(() => log.close());
  return log;
}

test.for<[what: string, line: string, changes: () => Record<string, string | undefined>]>([
  [
    'a wrong password',
    'it refuses KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD by SCRAM-SHA-512.',
    () => ({ KAFKA_SASL_PASSWORD: 'not of the tests' }),
  ],
  [
    'a wrong password by PLAIN',
    'it refuses KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD by PLAIN.',
    () => ({ KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_PASSWORD: 'not of the tests' }),
  ],
  [
    'the wrong authority',
    'its certificate is signed by nobody in KAFKA_SSL_CA.',
    () => ({ KAFKA_SSL_CA: stranger.certFile }),
  ],
  [
    'no authority',
    'its certificate is signed by nobody whom Node.js knows. Set KAFKA_SSL_CA.',
    () => ({ KAFKA_SSL_CA: undefined }),
  ],
  [
    'another host than in the certificate',
    'its certificate is for other hosts than KAFKA_BROKERS, or than the broker calls itself.',
    () => ({ KAFKA_BROKERS: broker.brokersOf('SASL_SSL').replace('127.0.0.1', 'localhost') }),
  ],
  ['no TLS', 'it asks for TLS there. Set KAFKA_SSL=true.', () => ({ ...noTls, ...noUser })],
  ['no TLS, by password', 'it closes the connection. Perhaps it asks there for TLS (KAFKA_SSL).', () => noTls],
  [
    'no user',
    'it closes the connection. Perhaps it asks there for a user (KAFKA_SASL_MECHANISM) or a certificate of ours (KAFKA_SSL_CERT).',
    () => noUser,
  ],
  [
    'a user at a port that wants none',
    'it wants no user there. Leave out KAFKA_SASL_MECHANISM, or name the port for SASL in KAFKA_BROKERS.',
    () => ({ ...noTls, KAFKA_BROKERS: broker.brokers }),
  ],
  [
    'TLS at a port without it',
    'it breaks off the greeting of TLS. Perhaps it does not speak TLS there, as KAFKA_SSL says.',
    () => ({ KAFKA_BROKERS: broker.brokers }),
  ],
])('a start with %s ends with 1 and one line that names the setting', async ([, line, changes]) => {
  const env = toEnv(changes());
  const { status, errors } = await runCommand(['serve', '--port', '0', '--log-level', 'error', ...flags], {
    ...env,
    DATABASE_URL: await createDatabase(),
  });
  expect(errors).toBe(`hustings: Kafka at ${env['KAFKA_BROKERS']} cannot be used: ${line}\n`);
  expect(status).toBe(1);
});

/** The greeting takes six: two of TLS, the versions, the mechanism, and two of SCRAM. */
test.for([1, 2, 3, 4, 5, 6])('a broker that goes away at the client’s message %i ends no process', async (count) => {
  const port = await startCuttingProxy(broker.brokersOf('SASL_SSL'), count);
  const escaped: unknown[] = [];
  const note = (error: unknown): void => void escaped.push(error);
  process.on('uncaughtExceptionMonitor', note);
  onTestFinished(() => void process.off('uncaughtExceptionMonitor', note));
  const opening = openLog(toEnv({ KAFKA_BROKERS: `127.0.0.1:${port}` }));
  await expect(opening).rejects.toThrow(/^Kafka at 127\.0\.0\.1:\d+ (?:cannot be used|does not answer): /u);
  expect(escaped).toEqual([]);
});

test('the authorities of NODE_EXTRA_CA_CERTS are believed where none is named', async () => {
  const env = toEnv({ KAFKA_SSL_CA: undefined });
  const end = await runCommand(['queue', '--queue', 'kafka'], { ...env, NODE_EXTRA_CA_CERTS: authority.certFile });
  expect(end).toMatchObject({ status: 0, errors: '' });
});

test('a password that is changed while a server runs: it is not ready and says why, ballots are refused at once, and all is well with the old one', async () => {
  const name = `user_${randomBytes(6).toString('hex')}`;
  await setPassword(name, password);
  const server = await startOn(await createDatabase(), flags, toEnv({ KAFKA_SASL_USERNAME: name }));
  const poll = await createPoll(server.url);
  const cast = () => post(`${server.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'], userId: randomUUID() });
  expect((await cast()).status).toBe(202);

  await setPassword(name, 'another one');
  // Who is connected stays so. The controller has what was changed.
  await broker.kill();
  await broker.restart();
  const refusal = 'it refuses KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD by SCRAM-SHA-512.';
  await expect.poll(async () => (await get(`${server.url}/readyz`)).text, wait).toContain(refusal);
  const refused = await cast();
  expect(refused).toMatchObject({ status: 503, json: { code: 'ingest_log_unavailable', recorded: 'no' } });

  await setPassword(name, password);
  await expect.poll(async () => (await get(`${server.url}/readyz`)).status, wait).toBe(200);
  expect((await cast()).status).toBe(202);
  await expect
    .poll(async () => (await get(`${server.url}/api/v1/polls/${poll.id}/tally`)).json, wait)
    .toMatchObject({ total: 2 });
});
