/** Tokens as issuers and attackers make them. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { onTestFinished } from 'vitest';

export const testSecret = 'kX2v9Q!fR7mZ4pLw8sJ1cN6tB3yH5gD0';

/** Seconds since 1970, so many from now. */
export function inSeconds(seconds: number, nowMs = Date.now()): number {
  return Math.floor(nowMs / 1_000) + seconds;
}

/** Put together by hand, because no library makes the wrong ones. `secret` null: no signature. */
export function forgeToken(
  payload: object,
  header: object = { alg: 'HS256' },
  secret: string | null = testSecret,
): string {
  const text = [header, payload].map((part) => toBase64Url(JSON.stringify(part))).join('.');
  const { alg = 'HS256' } = header as { alg?: string };
  const hash = `sha${/^HS(\d+)$/u.exec(alg)?.[1] ?? '256'}`;
  return `${text}.${secret === null ? '' : createHmac(hash, secret).update(text).digest('base64url')}`;
}

export function toBase64Url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

export type Issuer = {
  /** Where its keys are published. */
  readonly url: string;
  readonly keys: readonly JWK[];
  /** How often somebody has read the keys. */
  readonly readCount: () => number;
  sign(payload: Record<string, unknown>, header?: object): Promise<string>;
  /** A new key in place of the old one. */
  rotate(): Promise<void>;
  /** What is answered in place of the keys; null: the keys. */
  answerWith(answer: { readonly status: number; readonly body: string } | null): void;
};

/** An issuer that signs with a key pair and publishes the public half. Ends with the test. */
export async function startIssuer(algorithm: string): Promise<Issuer> {
  let keyNo = 0;
  let current: { readonly kid: string; readonly privateKey: CryptoKey };
  let keys: JWK[] = [];
  let readCount = 0;
  let other: { readonly status: number; readonly body: string } | null = null;

  async function rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    keyNo += 1;
    current = { kid: `key-${keyNo}`, privateKey };
    keys = [{ ...(await exportJWK(publicKey)), kid: current.kid, alg: algorithm, use: 'sig' }];
  }

  await rotate();
  const server = createServer((_request, response) => {
    readCount += 1;
    response.writeHead(other?.status ?? 200, { 'content-type': 'application/json' });
    response.end(other?.body ?? JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // It listens on a port.
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    get keys() {
      return keys;
    },
    readCount: () => readCount,
    sign: (payload, header = {}) =>
      new SignJWT(payload).setProtectedHeader({ alg: algorithm, kid: current.kid, ...header }).sign(current.privateKey),
    rotate,
    answerWith(answer) {
      other = answer;
    },
  };
}
