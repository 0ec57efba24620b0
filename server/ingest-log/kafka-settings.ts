/** The settings about Kafka: where it is, how connections to it are encrypted, and who we are on them. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { toAddressTest } from '../lib/address-ranges.ts';
import { Secret } from '../lib/secret.ts';
import { choice, hostPorts, looseBoolean, optional, password, path, shortText } from '../lib/setting-kinds.ts';
import { group, SettingError, type ValuesOf } from '../lib/setting-table.ts';

export const kafkaSettings = group('Kafka', {
  kafkaBrokers: {
    env: 'KAFKA_BROKERS',
    kind: optional(hostPorts),
    default: undefined,
    otherwise: 'no Kafka',
    example: 'localhost:9092',
    doc: 'The brokers for `--queue kafka`, with commas between them.',
  },
  kafkaTopic: {
    env: 'KAFKA_TOPIC',
    kind: shortText,
    default: 'hustings.ballots',
    doc: 'The topic that carries ballots. It is made with 12 partitions where it is missing. What could not be counted goes to the same name with `.dead`.',
  },
  kafkaClientId: {
    env: 'KAFKA_CLIENT_ID',
    kind: shortText,
    default: 'hustings',
    doc: 'What the server calls itself in the logs of Kafka.',
  },
  kafkaGroupId: {
    env: 'KAFKA_GROUP_ID',
    kind: shortText,
    default: 'hustings',
    doc: 'The consumer group of the workers.',
  },
  kafkaSsl: {
    env: 'KAFKA_SSL',
    kind: looseBoolean,
    default: false,
    doc: 'Whether connections to Kafka use TLS. The certificates of the brokers are always verified.',
  },
  kafkaSslCaFile: {
    env: 'KAFKA_SSL_CA',
    kind: optional(path),
    default: undefined,
    otherwise: 'the authorities that Node.js knows',
    example: '/etc/hustings/kafka-ca.pem',
    doc: 'A PEM file with the authorities that may have signed the certificates of the brokers. No other authority is believed then.',
  },
  kafkaSslCertFile: {
    env: 'KAFKA_SSL_CERT',
    kind: optional(path),
    default: undefined,
    otherwise: 'no certificate of our own',
    example: '/etc/hustings/kafka.pem',
    doc: 'A PEM file with the certificate to show to the brokers, for those that ask for one, and with those that lead to its authority.',
  },
  kafkaSslKeyFile: {
    env: 'KAFKA_SSL_KEY',
    kind: optional(path),
    default: undefined,
    otherwise: 'no certificate of our own',
    example: '/etc/hustings/kafka.key',
    doc: 'A PEM file with the private key of `KAFKA_SSL_CERT`, without a passphrase.',
  },
  kafkaSaslMechanism: {
    env: 'KAFKA_SASL_MECHANISM',
    kind: optional(choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])),
    default: undefined,
    otherwise: 'no user',
    example: 'SCRAM-SHA-512',
    doc: 'How the server proves to Kafka who it is. `PLAIN` sends the password itself, and needs `KAFKA_SSL=true` unless all of `KAFKA_BROKERS` are on this machine.',
  },
  kafkaSaslUsername: {
    env: 'KAFKA_SASL_USERNAME',
    kind: optional(shortText),
    default: undefined,
    otherwise: 'no user',
    example: 'hustings',
    doc: 'Who the server is to Kafka.',
  },
  kafkaSaslPassword: {
    env: 'KAFKA_SASL_PASSWORD',
    kind: optional(password),
    default: undefined,
    otherwise: 'no user',
    doc: 'The password of `KAFKA_SASL_USERNAME`.',
  },
});

type KafkaSettings = ValuesOf<typeof kafkaSettings>;

/** How a connection is made, and what it proves. The contents of files, not their paths. */
export type KafkaSecurity = {
  /** null: not encrypted. */
  readonly tls: {
    /** null: the authorities that Node.js knows. */
    readonly ca: string | null;
    readonly identity: { readonly cert: string; readonly key: Secret } | null;
  } | null;
  /** null: nobody in particular. */
  readonly sasl: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
    readonly username: string;
    readonly password: Secret;
  } | null;
};

export type KafkaChoice = {
  readonly name: 'kafka';
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  readonly groupId: string;
  readonly security: KafkaSecurity;
};

/** Reads the files that the settings name. @throws {SettingError} for settings that contradict each other, and for files that are no use */
export function toKafkaChoice(values: KafkaSettings): KafkaChoice {
  const { kafkaBrokers: brokers, kafkaTopic: topic, kafkaClientId: clientId, kafkaGroupId: groupId } = values;
  if (brokers === undefined) throw new SettingError('--queue kafka needs KAFKA_BROKERS.');
  const security = { tls: toTls(values), sasl: toSasl(values) };
  if (security.sasl?.mechanism === 'PLAIN' && security.tls === null && !brokers.every(isOnThisMachine)) {
    throw new SettingError(
      'KAFKA_SASL_MECHANISM=PLAIN would send the password to another machine for all to read: set KAFKA_SSL=true.',
    );
  }
  return { name: 'kafka', brokers, topic, clientId, groupId, security };
}

function toTls(values: KafkaSettings): KafkaSecurity['tls'] {
  const { kafkaSsl, kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile } = values;
  if (!kafkaSsl) {
    const files = { KAFKA_SSL_CA: kafkaSslCaFile, KAFKA_SSL_CERT: kafkaSslCertFile, KAFKA_SSL_KEY: kafkaSslKeyFile };
    for (const [name, file] of Object.entries(files)) {
      // Whoever names a certificate believes that connections are encrypted.
      if (file !== undefined) throw new SettingError(`${name} is of no use without KAFKA_SSL=true.`);
    }
    return null;
  }
  const ca = kafkaSslCaFile === undefined ? null : readCertificates('KAFKA_SSL_CA', kafkaSslCaFile);
  return { ca, identity: toIdentity(kafkaSslCertFile, kafkaSslKeyFile) };
}

function toIdentity(certFile: string | undefined, keyFile: string | undefined): { cert: string; key: Secret } | null {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined) throw new SettingError('KAFKA_SSL_KEY needs KAFKA_SSL_CERT, the certificate of the key.');
  if (keyFile === undefined) throw new SettingError('KAFKA_SSL_CERT needs KAFKA_SSL_KEY, the private key of it.');
  const cert = readCertificates('KAFKA_SSL_CERT', certFile);
  const key = readPem('KAFKA_SSL_KEY', keyFile);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new SettingError(
      `KAFKA_SSL_KEY: ${keyFile} has no private key of the certificate in KAFKA_SSL_CERT, or one with a passphrase.`,
      { cause },
    );
  }
  return { cert, key: new Secret(key) };
}

function toSasl(values: KafkaSettings): KafkaSecurity['sasl'] {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: secret } = values;
  if (mechanism === undefined) {
    if (username !== undefined) throw new SettingError('KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM.');
    if (secret !== undefined) throw new SettingError('KAFKA_SASL_PASSWORD needs KAFKA_SASL_MECHANISM.');
    return null;
  }
  if (username === undefined) throw new SettingError(`KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_USERNAME.`);
  if (secret === undefined) throw new SettingError(`KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_PASSWORD.`);
  return { mechanism, username, password: secret };
}

/** Node.js leaves out without a word what is no certificate. @throws {SettingError} where the file does not begin with one */
function readCertificates(name: string, file: string): string {
  const text = readPem(name, file);
  try {
    void new X509Certificate(text);
  } catch (cause) {
    throw new SettingError(`${name}: ${file} has no certificate in PEM.`, { cause });
  }
  return text;
}

function readPem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new SettingError(`${name}: ${file} cannot be read${code}.`, { cause });
  }
}

const isLoopback = toAddressTest(['loopback']);

function isOnThisMachine(broker: string): boolean {
  const host = toHost(broker);
  return host === 'localhost' || isLoopback(host);
}

/** The host of `host:port`, without the brackets of an IPv6 address. */
export function toHost(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/gu, '');
}
