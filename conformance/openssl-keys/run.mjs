// JO-16, JO-85: every form of every kind of key, written by `chancery keys` and read by OpenSSL, and the reverse.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const chancery = process.env.CHANCERY;
const at = mkdtempSync(join(tmpdir(), 'openssl-keys-'));
const env = { PATH: process.env.PATH, PASSPHRASE: 'correct horse' };
const file = (name) => join(at, name);

function call(program, words, input) {
  return execFileSync(program, words, { input, env, cwd: at, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 24 });
}

const keys = (...words) => call(chancery, ['keys', ...words]);
const openssl = (...words) => call('openssl', words);
const thumbprint = (...words) => keys('thumbprint', ...words).toString().trim();

// The public half as OpenSSL sees it, the measure of "the same key".
const spki = (name, ...how) => openssl('pkey', '-in', name, ...how, '-pubout', '-outform', 'DER').toString('base64');

const kinds = [
  { name: 'rsa', make: ['--alg', 'RS256', '--bits', '2048'], forms: ['pkcs8', 'pkcs1'], own: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] },
  { name: 'rsa-odd', forms: ['pkcs8', 'pkcs1'], own: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2056'] },
  { name: 'p256', make: ['--alg', 'ES256'], forms: ['pkcs8', 'sec1'], own: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] },
  { name: 'p384', make: ['--alg', 'ES384'], forms: ['pkcs8', 'sec1'], own: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
  { name: 'p521', make: ['--alg', 'ES512'], forms: ['pkcs8', 'sec1'], own: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'] },
  { name: 'secp256k1', make: ['--alg', 'ES256K', '--allow', 'allow_es256k'], forms: ['pkcs8', 'sec1'], own: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] },
  { name: 'ed25519', make: ['--alg', 'EdDSA'], forms: ['pkcs8'], own: ['genpkey', '-algorithm', 'ED25519'] },
  { name: 'x25519', make: ['--alg', 'ECDH-ES', '--crv', 'X25519'], forms: ['pkcs8'], own: ['genpkey', '-algorithm', 'X25519'] },
];

let passed = 0;
let failed = 0;

function holds(what, test) {
  try {
    const found = test();
    if (found !== true) throw new Error(`it is ${found}`);
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`${what}: ${error.stderr?.toString().trim() || error.message}`);
  }
}

function same(found, wanted) {
  return found === wanted || `${found} and not ${wanted}`;
}

// Ours, read by OpenSSL: the same public half from every private and public form.
function written({ name, make, forms }) {
  const jwk = file(`${name}.jwk`);
  keys('generate', ...make, '--out', jwk);
  keys('public', jwk, '--format', 'der', '--out', file(`${name}.spki`));
  const wanted = readFileSync(file(`${name}.spki`)).toString('base64');
  for (const form of forms) {
    for (const format of ['pem', 'der']) {
      const out = file(`${name}.${form}.${format}`);
      keys('convert', jwk, '--format', format, '--form', form, '--out', out);
      holds(`${name} ${form} ${format} in OpenSSL`, () => same(spki(out, '-inform', format.toUpperCase()), wanted));
    }
  }
  for (const format of ['pem', 'der']) {
    const out = file(`${name}.closed.${format}`);
    keys('convert', jwk, '--format', format, '--new-passphrase', 'env:PASSPHRASE', '--out', out);
    const how = ['-inform', format.toUpperCase(), '-passin', 'env:PASSPHRASE'];
    holds(`${name} encrypted ${format} in OpenSSL`, () => same(spki(out, ...how), wanted));
  }
  const pem = file(`${name}.pub.pem`);
  keys('public', jwk, '--format', 'pem', '--out', pem);
  holds(`${name} spki pem in OpenSSL`, () => same(spki(pem, '-pubin'), wanted));
}

// OpenSSL's, read by ours: one thumbprint from every form of one key.
function read({ name, own, forms }) {
  const key = file(`${name}.own.pem`);
  openssl(...own, '-out', key);
  const wanted = thumbprint(key);
  const convert = (out, ...words) => {
    openssl('pkey', '-in', key, ...words, '-out', file(out));
    return file(out);
  };
  const cases = [
    ['pkcs8 der', [convert(`${name}.o1`, '-outform', 'DER')]],
    ['spki pem', [convert(`${name}.o2`, '-pubout')]],
    ['spki der', [convert(`${name}.o3`, '-pubout', '-outform', 'DER')]],
  ];
  if (forms.length > 1) cases.push([`${forms[1]} pem`, [convert(`${name}.o4`, '-traditional')]]);
  const closed = file(`${name}.o5`);
  openssl('pkcs8', '-topk8', '-in', key, '-v2', 'aes-256-cbc', '-passout', 'env:PASSPHRASE', '-out', closed);
  cases.push(['encrypted pkcs8 pem', [closed, '--passphrase', 'env:PASSPHRASE']]);
  if (name !== 'x25519') cases.push(...certified(name, key));
  for (const [form, words] of cases) holds(`${name} ${form} in ours`, () => same(thumbprint(...words), wanted));
}

// An X25519 key signs no certificate of its own.
function certified(name, key) {
  const certificate = file(`${name}.crt`);
  openssl('req', '-x509', '-new', '-key', key, '-subj', '/CN=test', '-days', '1', '-out', certificate);
  const der = file(`${name}.crt.der`);
  openssl('x509', '-in', certificate, '-outform', 'DER', '-out', der);
  const p12 = file(`${name}.p12`);
  openssl('pkcs12', '-export', '-inkey', key, '-in', certificate, '-passout', 'env:PASSPHRASE', '-out', p12);
  return [
    ['certificate pem', [certificate]],
    ['certificate der', [der]],
    ['pkcs12', [p12, '--passphrase', 'env:PASSPHRASE']],
  ];
}

// A wrong passphrase opens nothing.
function refused() {
  const p12 = file('p256.p12');
  holds('a wrong passphrase', () => {
    writeFileSync(file('wrong'), 'battery staple');
    try {
      keys('check', p12, '--passphrase', file('wrong'));
      return 'read';
    } catch (error) {
      return same(error.status, 65);
    }
  });
}

for (const kind of kinds) {
  if (kind.make) written(kind);
  read(kind);
}
refused();
rmSync(at, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
