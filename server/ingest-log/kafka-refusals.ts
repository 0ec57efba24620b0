/** Why Kafka does not let us in, in words that name the setting to look at. They tell no host, no user and no secret. */
import type { KafkaSecurity } from './kafka-settings.ts';

const unknownAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);
const notOfToday = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/**
 * A sentence for an error that comes again however often it is tried, until somebody changes a setting here or there; null for any other,
 * such as that of a broker that is gone.
 */
export function toRefusal(error: unknown, security: KafkaSecurity): string | null {
  for (const each of toErrors(error)) {
    const text = describe(each, security);
    if (text !== null) return text;
  }
  return null;
}

function describe(error: Error, { tls, sasl }: KafkaSecurity): string | null {
  const [code, apiId] = [textOf(error, 'code'), textOf(error, 'apiId')];
  const user = 'KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD';
  if (apiId === 'SASL_AUTHENTICATION_FAILED') return `it refuses ${user} by ${sasl?.mechanism}.`;
  if (apiId === 'UNSUPPORTED_SASL_MECHANISM') return `it does not take KAFKA_SASL_MECHANISM=${sasl?.mechanism}.`;
  if (apiId === 'ILLEGAL_SASL_STATE')
    return 'it wants no user there. Leave out KAFKA_SASL_MECHANISM, or name the port for SASL in KAFKA_BROKERS.';
  if (/server (?:signature|nonce)/iu.test(error.message)) return `it does not know the password of ${user}.`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for other hosts than KAFKA_BROKERS, or than the broker calls itself.';
  if (unknownAuthority.has(code)) {
    return tls?.ca === null
      ? 'its certificate is signed by nobody whom Node.js knows. Set KAFKA_SSL_CA.'
      : 'its certificate is signed by nobody in KAFKA_SSL_CA.';
  }
  if (notOfToday.has(code)) return 'its certificate is not valid at the time of this machine.';
  if (error.message === 'Broker requires TLS.') return 'it asks for TLS there. Set KAFKA_SSL=true.';
  if (/^ERR_SSL_.*_ALERT_.*CERTIFICATE/u.test(code)) return describeOwnCertificate(tls);
  return null;
}

function describeOwnCertificate(tls: KafkaSecurity['tls']): string {
  return tls?.identity === null
    ? 'it asks for a certificate of ours. Set KAFKA_SSL_CERT and KAFKA_SSL_KEY.'
    : 'it does not accept the certificate in KAFKA_SSL_CERT.';
}

/**
 * What the cause may be where the broker has only closed the connection, which it also does when it ends; null where nothing is likely. For
 * somebody who has just written the settings.
 */
export function guessRefusal(error: unknown, { tls, sasl }: KafkaSecurity): string | null {
  const errors = toErrors(error);
  if (errors.some(({ message }) => message.startsWith('TLS handshake failed.')))
    return 'it breaks off the greeting of TLS. Perhaps it does not speak TLS there, as KAFKA_SSL says.';
  if (!errors.some(({ message }) => message === 'Connection closed')) return null;
  const missing = [
    ...(tls === null ? ['TLS (KAFKA_SSL)'] : []),
    ...(sasl === null ? ['a user (KAFKA_SASL_MECHANISM)'] : []),
    ...(tls !== null ? [`${tls.identity === null ? 'a' : 'another'} certificate of ours (KAFKA_SSL_CERT)`] : []),
  ];
  return `it closes the connection. Perhaps it asks there for ${missing.join(' or ')}.`;
}

/** The errors of the client are trees. The innermost come first: they say what happened. */
function toErrors(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [...[...inner, error.cause].flatMap(toErrors), error];
}

function textOf(error: Error, key: 'code' | 'apiId'): string {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : '';
}
