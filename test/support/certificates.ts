/** Certificates of authorities that nobody else believes, as files in a folder. Made by openssl. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Certificate = {
  /** PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
};

export type Authority = Certificate & {
  /** For a server at these names, as in `IP:127.0.0.1`, or for a client. The name is that of its files too. */
  sign(name: string, hosts: readonly string[]): Promise<Certificate>;
};

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const authority = await makeCertificate(folder, name, []);
  const signed = [
    '-CA',
    authority.certFile,
    '-CAkey',
    authority.keyFile,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  return {
    ...authority,
    sign: (leaf, hosts) => makeCertificate(folder, leaf, [...signed, '-addext', `subjectAltName=${hosts.join(',')}`]),
  };
}

async function makeCertificate(folder: string, name: string, options: readonly string[]): Promise<Certificate> {
  const [certFile, keyFile] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  const files = ['-out', certFile, '-keyout', keyFile];
  await run('openssl', ['req', '-x509', ...newKey, '-subj', `/CN=${name}`, ...files, ...options]);
  return { certFile, keyFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}
