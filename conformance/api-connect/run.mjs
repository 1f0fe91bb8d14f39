// Tokens that definitions issue over HTTP, each read by npm `jose` and PyPI `jwcrypto`.

import { execFileSync } from 'node:child_process';
import { createPrivateKey, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import { CLAIMS, GATEWAYS, definition } from './lib/definition.mjs';
import { CONTENTS, certificate, keyFor, secret } from './lib/keys.mjs';
import { Server, folder } from '../server.mjs';
import { assert, close, test } from '../suite.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const SIGNATURES = [256, 384, 512].flatMap((bits) => ['HS', 'RS', 'ES', 'PS'].map((family) => family + bits));
const BASE_KEYS = ['RSA1_5', 'RSA-OAEP-256', 'dir', 'A128KW', 'A192KW', 'A256KW'];
const KEYS = [...BASE_KEYS, 'RSA-OAEP'];
// npm `jose` does not read it any more; jwcrypto does.
const UNKNOWN_TO_JOSE = 'RSA1_5';

const place = folder();
const pairs = KEYS.flatMap((alg) => CONTENTS.map((enc) => ({ alg, enc })));
const nameOf = ({ alg, enc }) => `${alg}-${enc}`;
const signing = Object.fromEntries(SIGNATURES.map((alg) => [alg, keyFor(alg)]));
const sealing = Object.fromEntries(pairs.map((pair) => [nameOf(pair), keyFor(pair.alg, pair.enc)]));
const secrets = Object.fromEntries([16, 24, 32, 64].map((octets) => [octets, secret(place, octets)]));
const bound = { rsa: certificate(place), secrets };
const boundKeys = {
  'RSA-OAEP-256': { name: 'org_cat_tlsp-mineV1.0.0-ca-0', jwk: createPrivateKey(bound.rsa.text).export({ format: 'jwk' }) },
  A128KW: { name: 'secret-16', jwk: bound.secrets[16].jwk },
  A192KW: { name: 'secret-24', jwk: bound.secrets[24].jwk },
  A256KW: { name: 'secret-32', jwk: bound.secrets[32].jwk },
  dir: { name: 'secret-64', jwk: bound.secrets[64].jwk },
};
const BOUND_CONTENT = 'A256CBC-HS512';

/** Every operation of the definitions, by its path. */
function blocks() {
  const all = {};
  for (const alg of SIGNATURES) all[`/signed/${alg}`] = { 'jws-alg': alg, 'jws-jwk': `sign-${alg}` };
  for (const pair of pairs) {
    const sealed = { 'jwe-alg': pair.alg, 'jwe-enc': pair.enc, 'jwe-jwk': `seal-${nameOf(pair)}` };
    all[`/sealed/${nameOf(pair)}`] = sealed;
    all[`/nested/${nameOf(pair)}`] = { 'jws-alg': 'RS256', 'jws-jwk': 'sign-RS256', ...sealed };
  }
  const read = { 'jwe-alg': '$(request.headers.x-alg)', 'jwe-enc': '$(request.headers.x-enc)' };
  all['/read'] = { ...read, 'jwe-jwk': 'request.headers.x-jwk' };
  for (const [alg, { name }] of Object.entries(boundKeys)) {
    const object = { 'jwe-alg': alg, 'jwe-enc': BOUND_CONTENT, 'jwe-crypto': name };
    all[`/bound/${alg}`] = object;
    all[`/both/${alg}`] = { ...object, 'jwe-jwk': `seal-${nameOf({ alg, enc: BOUND_CONTENT })}` };
  }
  return all;
}

async function serve() {
  const keys = [...Object.entries(signing).map(([name, key]) => [`sign-${name}`, key])];
  keys.push(...Object.entries(sealing).map(([name, key]) => [`seal-${name}`, key]));
  const properties = Object.fromEntries(keys);
  const definitions = Object.fromEntries(GATEWAYS.map((kind) => [kind.name, definition(kind, blocks(), properties)]));
  const crypto = ['--crypto', `org_cat_tlsp-*-ca-0=${bound.rsa.path}`];
  for (const [octets, { path }] of Object.entries(bound.secrets)) crypto.push('--crypto', `secret-${octets}=${path}`);
  return Server.start(place, definitions, crypto);
}

const publicHalf = ({ kty, n, e, crv, x, y }) => JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));
const secretOf = ({ k }) => createSecretKey(Buffer.from(k, 'base64url'));
const opener = (key) => (key.kty === 'oct' ? secretOf(key) : createPrivateKey({ key, format: 'jwk' }));
const header = (token) => Buffer.from(token.split('.')[0], 'base64url').toString();

/** The claims are those of the definition, in their order, and live for ten minutes. */
function assertClaims(text) {
  const { exp, iat } = JSON.parse(text);
  assert.equal(exp - iat, 600);
  const { iss, sub, aud, role } = CLAIMS;
  assert.equal(text, JSON.stringify({ iss, sub, aud, exp, iat, role }));
}

async function assertSigned(token, alg, key) {
  const verifier = key.kty === 'oct' ? secretOf(key) : await jose.importJWK(publicHalf(key), alg);
  const { payload } = await jose.compactVerify(token, verifier, { algorithms: [alg] });
  assertClaims(Buffer.from(payload).toString());
}

/** What is in an encrypted token: as jwcrypto has read it, and where npm `jose` knows the algorithm, as both have. */
async function opened({ token, alg, enc, key, read }) {
  assert.equal(read.error, undefined);
  if (alg !== UNKNOWN_TO_JOSE) {
    const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] };
    const { plaintext } = await jose.compactDecrypt(token, opener(key), options);
    assert.equal(Buffer.from(plaintext).toString(), read.text);
  }
  return read.text;
}

/** Fetches the token of each case and has jwcrypto read all of them. */
async function fetched(server, cases) {
  const tokens = [];
  for (const one of cases) {
    const body = await server.token(`/${one.gateway.name}${one.path}`, one.headers);
    assert.ok(body.startsWith(one.gateway.prefix), body);
    tokens.push({ ...one, token: body.slice(one.gateway.prefix.length) });
  }
  const input = JSON.stringify(tokens.map(({ kind, alg, enc, key, token }) => ({ kind, alg, enc, key, token })));
  const python = process.env.PYTHON ?? 'python3';
  const read = JSON.parse(execFileSync(python, [join(here, '..', 'read.py')], { input, maxBuffer: 1 << 28 }));
  return tokens.map((one, index) => ({ ...one, read: read[index] }));
}

const each = (cases) => GATEWAYS.flatMap((gateway) => cases.map((one) => ({ gateway, ...one })));
const encrypted = (path, pair) => ({ kind: 'jwe', path, ...pair, key: sealing[nameOf(pair)] });
const named = (what, { gateway, path }) => `${what} ${gateway.name}${path}`;

// AC-30: every signature algorithm, on both gateways, which makes PS* one under version 1.0.0 too.
async function signatures(server) {
  const cases = SIGNATURES.map((alg) => ({ kind: 'jws', path: `/signed/${alg}`, alg, key: signing[alg] }));
  for (const one of await fetched(server, each(cases))) {
    await test(named('AC-30', one), async () => {
      const kid = one.gateway.hasKid ? `"kid":"${one.alg}",` : '';
      assert.equal(header(one.token), `{${kid}"alg":"${one.alg}"}`);
      await assertSigned(one.token, one.alg, one.key);
      assertClaims(one.read.text);
    });
  }
}

// AC-53: every key encryption by every content encryption decrypts, as does RSA-OAEP, and so do the GCM values.
async function encryptions(server) {
  const cases = pairs.map((pair) => encrypted(`/sealed/${nameOf(pair)}`, pair));
  for (const one of await fetched(server, each(cases))) {
    await test(named('AC-53', one), async () => {
      const kid = one.gateway.hasKid ? `"kid":"${one.alg}",` : '';
      assert.equal(header(one.token), `{${kid}"alg":"${one.alg}","enc":"${one.enc}"}`);
      assertClaims(await opened(one));
    });
  }
}

// AC-55: the signed token stands inside the encrypted one, without `Bearer `, and `cty` says so.
async function nested(server) {
  const cases = pairs.map((pair) => encrypted(`/nested/${nameOf(pair)}`, pair));
  for (const one of await fetched(server, each(cases))) {
    await test(named('AC-55', one), async () => {
      assert.ok(header(one.token).endsWith(`"enc":"${one.enc}","cty":"JWT"}`), header(one.token));
      await assertSigned(await opened(one), 'RS256', signing.RS256);
    });
  }
}

// AC-54: both algorithms may be read from variables for each request; what is no algorithm makes no token.
async function variables(server) {
  const asked = (pair) => ({ 'x-alg': pair.alg, 'x-enc': pair.enc, 'x-jwk': JSON.stringify(sealing[nameOf(pair)]) });
  const cases = pairs.map((pair) => ({ ...encrypted('/read', pair), headers: asked(pair) }));
  for (const one of await fetched(server, each(cases))) {
    await test(`${named('AC-54', one)} ${nameOf(one)}`, async () => assertClaims(await opened(one)));
  }
  const good = asked({ alg: 'A128KW', enc: 'A128GCM' });
  const refused = {
    'an unknown alg': { 'x-alg': 'A512KW' },
    'an unknown enc': { 'x-enc': 'A512GCM' },
    'no alg': { 'x-alg': '' },
    'no enc': { 'x-enc': '' },
  };
  for (const gateway of GATEWAYS) {
    for (const [what, headers] of Object.entries(refused)) {
      await test(`AC-54 ${gateway.name} ${what}`, async () => {
        const { status, body } = await server.ask(`/${gateway.name}/read`, { ...good, ...headers });
        assert.equal(status, 500);
        assert.equal(JSON.parse(body).httpMessage, 'Invalid-JWT-Generate');
      });
    }
  }
}

// AC-58, AC-95: a certificate and secrets encrypt; beside a JWK they alone do, and its key does not open the token.
async function cryptoObjects(server) {
  const cases = Object.entries(boundKeys).flatMap(([alg, { jwk }]) =>
    ['bound', 'both'].map((way) => ({ kind: 'jwe', path: `/${way}/${alg}`, alg, enc: BOUND_CONTENT, key: jwk })),
  );
  for (const one of await fetched(server, each(cases))) {
    await test(named('AC-58, AC-95', one), async () => {
      assert.equal(header(one.token), `{"alg":"${one.alg}","enc":"${one.enc}"}`);
      assertClaims(await opened(one));
      const other = opener(sealing[nameOf(one)]);
      await assert.rejects(jose.compactDecrypt(one.token, other), jose.errors.JWEDecryptionFailed);
    });
  }
}

// AC-29: what the reference tokens of the test data are held against is what npm `jose` writes.
async function references() {
  const data = join(here, '..', '..', 'testdata', 'api-connect', 'reference');
  const keys = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8'));
  for (const line of readFileSync(join(data, 'tokens.txt'), 'utf8').trim().split('\n')) {
    const [gateway, alg, token] = line.split(' ');
    await test(`AC-29 ${gateway} ${alg}`, async () => {
      const key = alg === 'HS256' ? secretOf(keys.HS256) : createPrivateKey({ key: keys.full, format: 'jwk' });
      const payload = Buffer.from(token.split('.')[1], 'base64url');
      const written = await new jose.CompactSign(payload).setProtectedHeader(JSON.parse(header(token))).sign(key);
      assert.equal(written, token);
    });
  }
}

const server = await serve();
try {
  await signatures(server);
  await encryptions(server);
  await nested(server);
  await variables(server);
  await cryptoObjects(server);
} finally {
  await server.stop();
}
await references();
close();
