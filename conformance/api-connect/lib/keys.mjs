// Keys for every algorithm, fresh in each run: JWKs, and for crypto objects files.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRET_BYTES = { HS256: 32, HS384: 48, HS512: 64, A128KW: 16, A192KW: 24, A256KW: 32 };
const CONTENT_BYTES = {
  'A128CBC-HS256': 32,
  'A192CBC-HS384': 48,
  'A256CBC-HS512': 64,
  A128GCM: 16,
  A192GCM: 24,
  A256GCM: 32,
};
const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export const CONTENTS = Object.keys(CONTENT_BYTES);

let rsa;

/** The private JWK, with `kid`, that an algorithm needs. `dir` needs the length of its content encryption. */
export function keyFor(algorithm, content) {
  const octets = algorithm === 'dir' ? CONTENT_BYTES[content] : SECRET_BYTES[algorithm];
  if (octets !== undefined) return { kty: 'oct', kid: algorithm, k: randomBytes(octets).toString('base64url') };
  const curve = CURVES[algorithm];
  if (curve !== undefined) return exported(generateKeyPairSync('ec', { namedCurve: curve }), algorithm);
  rsa ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return exported(rsa, algorithm);
}

function exported({ privateKey }, kid) {
  return { kid, ...privateKey.export({ format: 'jwk' }) };
}

/** An RSA key and a certificate over it, as files; gives the paths and the private JWK. */
export function certificate(folder) {
  const [key, path] = [join(folder, 'rsa.pem'), join(folder, 'certificate.pem')];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=conformance'];
  execFileSync('openssl', [...made, '-keyout', key, '-out', path], { stdio: 'pipe' });
  const text = execFileSync('openssl', ['pkey', '-in', key]).toString();
  return { path, text };
}

/** A secret of this many octets as a file; gives its path and its JWK. */
export function secret(folder, octets) {
  const path = join(folder, `secret-${octets}`);
  // Raw octets may look like another form of key, or end like a line; these do neither.
  const value = Buffer.from(randomBytes(octets).map((octet) => 0x61 + (octet % 26)));
  writeFileSync(path, value);
  return { path, jwk: { kty: 'oct', k: value.toString('base64url') } };
}
