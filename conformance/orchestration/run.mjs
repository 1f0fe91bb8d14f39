// Tokens of every algorithm that a JWT - Generator offers, issued over HTTP, each read by npm `jose` and PyPI `jwcrypto`;
// documents held to the shipped schema by npm `ajv`.

import { execFileSync } from 'node:child_process';
import { createPrivateKey, createSecretKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import { documentTests } from './lib/documents.mjs';
import { claimsAt, flow } from './lib/flow.mjs';
import { CONTENTS, ec, rsa, secretFor } from './lib/keys.mjs';
import { Server, binary, folder } from '../server.mjs';
import { assert, close, test } from '../suite.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const HMACS = ['HS256', 'HS384', 'HS512'];
const RSA_SIGNATURES = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const EC_SIGNATURES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
const SECRET_KEYS = ['A128KW', 'A192KW', 'A256KW', 'A128GCMKW', 'A192GCMKW', 'A256GCMKW', 'dir'];
const RSA_KEYS = ['RSA-OAEP', 'RSA-OAEP-256'];
const EC_KEYS = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'];
const RSA_BITS = [2048, 3072, 4096];

const place = folder();
const rsaKeys = Object.fromEntries(RSA_BITS.map((bits) => [bits, rsa(bits)]));
const ecKeys = Object.fromEntries(Object.values(EC_SIGNATURES).map((curve) => [curve, ec(curve)]));
const signers = [...hmacs(), ...rsaSignatures(), ...ecSignatures()];
const recipients = [...secrets(), ...rsaRecipients(), ...ecRecipients()];
const unsigned = { type: 'none' };

function hmacs() {
  return HMACS.map((alg) => {
    const { password, jwk } = secretFor(alg);
    return { id: alg, alg, key: jwk, block: { type: 'symmetric', symmetric: { kid: 'k', algorithm: alg, password } } };
  });
}

/** Every RSA algorithm at every size; the forms of a private key take turns. */
function rsaSignatures() {
  return RSA_BITS.flatMap((bits) =>
    RSA_SIGNATURES.map((alg, turn) => {
      const { jwk, privateForms } = rsaKeys[bits];
      const asymmetric = { kid: 'k', keySize: bits, rsaAlgorithm: alg, privateKey: privateForms[turn % 3] };
      return { id: `${alg}-${bits}`, alg, key: jwk, block: { type: 'asymmetric', asymmetric } };
    }),
  );
}

function ecSignatures() {
  return Object.entries(EC_SIGNATURES).map(([alg, curve], turn) => {
    const { jwk, privateForms } = ecKeys[curve];
    const asymmetric = { kid: 'k', keyType: 'EC', ecAlgorithm: alg, privateKey: privateForms[turn] };
    return { id: alg, alg, key: jwk, block: { type: 'asymmetric', asymmetric } };
  });
}

/** Each recipient's key in both views that the node has of it: `first` for tokens alone, `second` for nested ones. */
function secrets() {
  return SECRET_KEYS.flatMap((alg) =>
    CONTENTS.map((enc) => {
      const { password, jwk } = secretFor(alg, enc);
      const block = (view) => ({ type: 'symmetric', contentEncryption: enc, symmetric: { kid: 'e', algorithm: alg, ...view } });
      return { id: `${alg}-${enc}`, item: 'JG-32', alg, enc, key: jwk, first: block({ password }), second: block({ jwk }) };
    }),
  );
}

function rsaRecipients() {
  const member = { keyType: 'RSA', name: 'rsaAlgorithm' };
  return RSA_BITS.flatMap((bits) =>
    RSA_KEYS.flatMap((alg) => CONTENTS.map((enc) => recipient('JG-34', { ...member, of: bits, alg, enc, keys: rsaKeys[bits] }))),
  );
}

function ecRecipients() {
  const member = { keyType: 'EC', name: 'ecAlgorithm' };
  return Object.entries(ecKeys).flatMap(([curve, keys]) =>
    EC_KEYS.flatMap((alg) => CONTENTS.map((enc) => recipient('JG-35', { ...member, of: curve, alg, enc, keys }))),
  );
}

function recipient(item, { keyType, name, of, alg, enc, keys }) {
  const block = (view) => ({ type: 'asymmetric', contentEncryption: enc, asymmetric: { kid: 'e', keyType, [name]: alg, ...view } });
  const views = { first: block({ publicKey: keys.spki }), second: block({ publicJwk: keys.publicJwk }) };
  return { id: `${alg}-${of}-${enc}`, item, alg, enc, key: keys.jwk, ...views };
}

/** Every flow by its id, which is also its path. */
function flows() {
  const inner = signers.find(({ alg }) => alg === 'ES256');
  return Object.fromEntries([
    ...signers.map(({ id, block }) => [id, { signature: block }]),
    ...recipients.map(({ id, first }) => [`alone-${id}`, { signature: unsigned, encryption: first }]),
    ...recipients.map(({ id, second }) => [`nested-${id}`, { signature: inner.block, encryption: second }]),
  ].map(([id, layers]) => [pathOf(id), flow(pathOf(id), layers)]));
}

const pathOf = (id) => id.replaceAll('+', '-');
const header = (token) => Buffer.from(token.split('.')[0], 'base64url').toString();
const secretOf = ({ k }) => createSecretKey(Buffer.from(k, 'base64url'));
const opener = (key) => (key.kty === 'oct' ? secretOf(key) : createPrivateKey({ key, format: 'jwk' }));
const publicHalf = ({ kty, n, e, crv, x, y }) => JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));

/** What jwcrypto reads of each of these tokens. */
function readElsewhere(cases) {
  const input = JSON.stringify(cases.map(({ kind, alg, enc, key, token }) => ({ kind, alg, enc, key, token })));
  const python = process.env.PYTHON ?? 'python3';
  const read = JSON.parse(execFileSync(python, [join(here, '..', 'read.py')], { input, maxBuffer: 1 << 28 }));
  return cases.map((one, index) => ({ ...one, read: read[index] }));
}

async function issued(server, kind, cases, pathFor) {
  const tokens = [];
  for (const one of cases) tokens.push({ ...one, kind, token: await server.token(`/${pathOf(pathFor(one.id))}`) });
  return readElsewhere(tokens);
}

/** Both libraries read the claims of every flow. */
async function assertSigned({ token, alg, key, read }) {
  assert.equal(read.error, undefined);
  const verifier = key.kty === 'oct' ? secretOf(key) : await jose.importJWK(publicHalf(key), alg);
  const { payload } = await jose.compactVerify(token, verifier, { algorithms: [alg] });
  assertClaims(Buffer.from(payload).toString());
  assertClaims(read.text);
}

async function opened({ token, alg, enc, key, read }) {
  assert.equal(read.error, undefined);
  const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] };
  const { plaintext } = await jose.compactDecrypt(token, opener(key), options);
  assert.equal(Buffer.from(plaintext).toString(), read.text);
  return read.text;
}

function assertClaims(text) {
  const { iat } = JSON.parse(text);
  assert.ok(Math.abs(iat - Date.now() / 1000) < 600, text);
  assert.equal(text, claimsAt(iat));
}

// JG-22: HS*, RS* and PS* at 2048, 3072 and 4096 bits, and ES*.
async function signatures(server) {
  for (const one of await issued(server, 'jws', signers, (id) => id)) {
    await test(`JG-22 ${one.id}`, async () => {
      assert.equal(header(one.token), `{"alg":"${one.alg}","typ":"JWT","kid":"k"}`);
      await assertSigned(one);
    });
  }
}

// JG-32, JG-34, JG-35: every key management by every content encryption; an `epk` is new for each token.
async function encryptions(server) {
  const keys = new Set();
  for (const one of await issued(server, 'jwe', recipients, (id) => `alone-${id}`)) {
    await test(`${one.item} ${one.id}`, async () => {
      assertClaims(await opened(one));
      const { alg, enc, typ, cty, kid, epk } = JSON.parse(header(one.token));
      assert.deepEqual({ alg, enc, typ, cty, kid }, { alg: one.alg, enc: one.enc, typ: 'JWT', cty: undefined, kid: 'e' });
      assert.ok(epk === undefined || !keys.has(epk.x));
      keys.add(epk?.x);
    });
  }
}

// JG-37: outside `cty` says so, inside stands a token that verifies.
async function nested(server) {
  const inner = signers.find(({ alg }) => alg === 'ES256');
  const outside = await issued(server, 'jwe', recipients, (id) => `nested-${id}`);
  const inside = outside.map(({ read }) => ({ kind: 'jws', alg: 'ES256', key: inner.key, token: read.text ?? '' }));
  const read = readElsewhere(inside);
  for (const [index, one] of outside.entries()) {
    await test(`JG-37 ${one.id}`, async () => {
      assert.ok(header(one.token).startsWith(`{"alg":"${one.alg}","enc":"${one.enc}","typ":"JWT","cty":"JWT","kid":"e"`));
      assert.equal(await opened(one), read[index].token);
      await assertSigned(read[index]);
    });
  }
}

// JG-34: no document has its tokens encrypted by RSA1_5.
async function refused() {
  await test('JG-34 RSA1_5', () => {
    const asymmetric = { rsaAlgorithm: 'RSA1_5' };
    const path = join(place, 'refused.json');
    writeFileSync(path, flow('refused', { signature: unsigned, encryption: { type: 'asymmetric', asymmetric } }));
    assert.throws(
      () => execFileSync(binary, ['check', path], { encoding: 'utf8', stdio: 'pipe' }),
      ({ status, stdout, stderr }) => status !== 0 && `${stdout}${stderr}`.includes('rsaAlgorithm'),
    );
  });
}

const server = await Server.start(place, flows());
try {
  await signatures(server);
  await encryptions(server);
  await nested(server);
} finally {
  await server.stop();
}
await refused();
await documentTests();
close();
