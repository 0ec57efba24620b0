import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatherSettings, parseSettings, SettingError } from '../lib/setting-table.ts';
import { toClientOptions } from './kafka-client.ts';
import { kafkaSettings, toKafkaChoice } from './kafka-settings.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hustings-kafka-settings-'));
  writeFileSync(path.join(folder, 'rubbish.pem'), '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Env = Record<string, string>;

function choose(env: Env) {
  const all = { KAFKA_BROKERS: 'kafka.example.org:9093', ...env };
  return toKafkaChoice(parseSettings(kafkaSettings, gatherSettings(kafkaSettings, { flags: {}, env: all })));
}

const scram = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'televote', KAFKA_SASL_PASSWORD: 'hidden' };
const plain = { ...scram, KAFKA_SASL_MECHANISM: 'PLAIN' };

test('without settings connections are plain and of nobody', () => {
  expect(choose({}).security).toEqual({ tls: null, sasl: null });
  expect(toClientOptions(choose({}))).not.toHaveProperty('tls');
  expect(toClientOptions(choose({}))).not.toHaveProperty('sasl');
});

describe('settings that contradict each other stop the start', () => {
  test.for<[line: string, env: Env]>([
    ['KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM.', { KAFKA_SASL_USERNAME: 'televote' }],
    ['KAFKA_SASL_PASSWORD needs KAFKA_SASL_MECHANISM.', { KAFKA_SASL_PASSWORD: 'hidden' }],
    ['KAFKA_SASL_MECHANISM=SCRAM-SHA-512 needs KAFKA_SASL_USERNAME.', { ...scram, KAFKA_SASL_USERNAME: '' }],
    ['KAFKA_SASL_MECHANISM=SCRAM-SHA-512 needs KAFKA_SASL_PASSWORD.', { ...scram, KAFKA_SASL_PASSWORD: '' }],
    [
      'KAFKA_SASL_MECHANISM=PLAIN would send the password to another machine for all to read: set KAFKA_SSL=true.',
      { ...plain, KAFKA_BROKERS: 'localhost:9092,kafka.example.org:9092' },
    ],
    ['KAFKA_SSL_CA is of no use without KAFKA_SSL=true.', { KAFKA_SSL_CA: 'ca.pem' }],
    ['KAFKA_SSL_CERT is of no use without KAFKA_SSL=true.', { KAFKA_SSL_CERT: 'a.pem', KAFKA_SSL: 'false' }],
    ['KAFKA_SSL_CERT needs KAFKA_SSL_KEY, the private key of it.', { KAFKA_SSL: 'true', KAFKA_SSL_CERT: 'a.pem' }],
    ['KAFKA_SSL_KEY needs KAFKA_SSL_CERT, the certificate of the key.', { KAFKA_SSL: 'true', KAFKA_SSL_KEY: 'a.key' }],
  ])('%s', ([line, env]) => {
    expect(() => choose(env)).toThrow(new SettingError(line));
  });

  test('a mechanism that Kafka has and we do not is refused by name', () => {
    expect(() => choose({ ...scram, KAFKA_SASL_MECHANISM: 'GSSAPI' })).toThrow('KAFKA_SASL_MECHANISM: "GSSAPI"');
  });
});

test('a file that is missing, or no certificate, stops the start with its name', () => {
  const missing = path.join(folder, 'missing.pem');
  const rubbish = path.join(folder, 'rubbish.pem');
  const chooseCa = (file: string) => choose({ KAFKA_SSL: 'true', KAFKA_SSL_CA: file });
  expect(() => chooseCa(missing)).toThrow(new SettingError(`KAFKA_SSL_CA: ${missing} cannot be read (ENOENT).`));
  expect(() => chooseCa(folder)).toThrow(new SettingError(`KAFKA_SSL_CA: ${folder} cannot be read (EISDIR).`));
  expect(() => chooseCa(rubbish)).toThrow(new SettingError(`KAFKA_SSL_CA: ${rubbish} has no certificate in PEM.`));
});

test('PLAIN is taken over TLS, and without it to this machine alone', () => {
  expect(choose({ ...plain, KAFKA_SSL: 'yes' }).security.sasl).toMatchObject({ mechanism: 'PLAIN' });
  for (const brokers of ['localhost:9092', '127.0.0.1:9092,[::1]:9092']) {
    expect(choose({ ...plain, KAFKA_BROKERS: brokers }).security.tls).toBeNull();
  }
  expect(choose(scram).security).toMatchObject({
    tls: null,
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'televote' },
  });
});

test('the name of the broker is in the greeting of TLS, and an address is not', () => {
  const nameOf = (brokers: string) =>
    toClientOptions(choose({ KAFKA_SSL: 'true', KAFKA_BROKERS: brokers })).tlsServerName;
  expect(nameOf('a.example.org:9093,b.example.org:9093')).toBe(true);
  expect([nameOf('10.0.0.1:9093'), nameOf('[fd00::1]:9093')]).toEqual([false, false]);
});

test('the password is in nothing that is printed', () => {
  const { security } = choose({ ...scram, KAFKA_SSL: 'true' });
  const printed = [security, toClientOptions(choose({ ...scram, KAFKA_SSL: 'true' }))].flatMap((each) => [
    JSON.stringify(each),
    inspect(each, { depth: null, showHidden: true }),
  ]);
  expect(printed.join('\n')).not.toContain('hidden');
  expect(security.sasl?.password.reveal()).toBe('hidden');
});
