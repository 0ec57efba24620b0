import { describe, expect, test } from 'vitest';
import { guessRefusal, toRefusal } from './kafka-refusals.ts';
import type { KafkaSecurity } from './kafka-settings.ts';
import { Secret } from '../lib/secret.ts';

const plain: KafkaSecurity = { tls: null, sasl: null };
const encrypted: KafkaSecurity = { tls: { ca: 'PEM', identity: null }, sasl: null };
const identified: KafkaSecurity = { tls: { ca: null, identity: { cert: 'PEM', key: new Secret('PEM') } }, sasl: null };

function toError(code: string, message = 'of a test'): Error {
  return Object.assign(new Error(message), { code });
}

/** As the client wraps it, for each broker and each try. */
function wrap(error: Error): Error {
  const failed = (cause: Error) => new Error('Connection to kafka.example.org:9093 failed.', { cause });
  return new AggregateError([new AggregateError([failed(toError('ECONNREFUSED')), failed(error)])], 'metadata failed');
}

describe('a refusal is found in whatever the client wraps it in', () => {
  test.for<[code: string, security: KafkaSecurity, line: string]>([
    ['SELF_SIGNED_CERT_IN_CHAIN', encrypted, 'its certificate is signed by nobody in KAFKA_SSL_CA.'],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      identified,
      'its certificate is signed by nobody whom Node.js knows. Set KAFKA_SSL_CA.',
    ],
    ['CERT_HAS_EXPIRED', encrypted, 'its certificate is not valid at the time of this machine.'],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      encrypted,
      'it asks for a certificate of ours. Set KAFKA_SSL_CERT and KAFKA_SSL_KEY.',
    ],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', identified, 'it does not accept the certificate in KAFKA_SSL_CERT.'],
  ])('%s', ([code, security, line]) => {
    expect(toRefusal(wrap(toError(code)), security)).toBe(line);
  });
});

test('a broker that is gone refuses nobody', () => {
  for (const error of [wrap(toError('ECONNREFUSED')), wrap(toError('ETIMEDOUT')), new Error('late'), undefined]) {
    expect(toRefusal(error, encrypted)).toBeNull();
    expect(guessRefusal(error, encrypted)).toBeNull();
  }
});

test('a connection that is only closed is a guess and no refusal', () => {
  const closed = wrap(toError('PLT_KFK_NETWORK', 'Connection closed'));
  expect(toRefusal(closed, plain)).toBeNull();
  expect(guessRefusal(closed, plain)).toBe(
    'it closes the connection. Perhaps it asks there for TLS (KAFKA_SSL) or a user (KAFKA_SASL_MECHANISM).',
  );
  expect(guessRefusal(closed, identified)).toBe(
    'it closes the connection. Perhaps it asks there for a user (KAFKA_SASL_MECHANISM) or another certificate of ours (KAFKA_SSL_CERT).',
  );
});
