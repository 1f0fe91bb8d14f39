// JO-01, JO-02, JO-11: tokens of every algorithm and serialization that npm `jose` knows, read by each other.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const interop = join(root, 'target', 'debug', 'examples', 'interop');

// What npm `jose` leaves out, or this Node cannot do; everything else must work.
const unknown = new Set(['ES256K', 'RSA1_5', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']);

const call = (mode, input) => JSON.parse(execFileSync(interop, [mode], { input, maxBuffer: 1 << 28 }));
const bytes = (text) => jose.base64url.decode(text);
const isSymmetric = (jwk) => jwk.kty === 'oct';

function publicHalf({ kty, crv, x, y, n, e, alg, pub }) {
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, alg, pub }));
}

async function keys(testCase) {
  const { jwk, alg } = testCase;
  if (isSymmetric(jwk)) return { open: bytes(jwk.k), close: bytes(jwk.k) };
  return { open: await jose.importJWK(publicHalf(jwk), alg), close: await jose.importJWK(jwk, alg) };
}

async function read(testCase) {
  const { open, close } = await keys(testCase);
  const token = testCase.form === 'compact' ? testCase.token : JSON.parse(testCase.token);
  if (testCase.kind === 'jws') {
    const verify = { compact: jose.compactVerify, flattened: jose.flattenedVerify, general: jose.generalVerify };
    return (await verify[testCase.form](token, open, { algorithms: [testCase.alg] })).payload;
  }
  const decrypt = { compact: jose.compactDecrypt, flattened: jose.flattenedDecrypt, general: jose.generalDecrypt };
  const options = { keyManagementAlgorithms: [testCase.alg], contentEncryptionAlgorithms: [testCase.enc] };
  return (await decrypt[testCase.form](token, close, options)).plaintext;
}

async function write(testCase) {
  const { open, close } = await keys(testCase);
  const payload = bytes(testCase.payload);
  const { alg, enc, form } = testCase;
  if (testCase.kind === 'jws') {
    if (form === 'compact') return new jose.CompactSign(payload).setProtectedHeader({ alg }).sign(close);
    if (form === 'flattened') {
      return JSON.stringify(await new jose.FlattenedSign(payload).setProtectedHeader({ alg }).sign(close));
    }
    const general = new jose.GeneralSign(payload);
    general.addSignature(close).setProtectedHeader({ alg });
    return JSON.stringify(await general.sign());
  }
  const header = { alg, enc };
  if (form === 'compact') return new jose.CompactEncrypt(payload).setProtectedHeader(header).encrypt(open);
  if (form === 'flattened') {
    return JSON.stringify(await new jose.FlattenedEncrypt(payload).setProtectedHeader(header).encrypt(open));
  }
  const general = new jose.GeneralEncrypt(payload).setProtectedHeader({ enc });
  general.addRecipient(open).setUnprotectedHeader({ alg });
  return JSON.stringify(await general.encrypt());
}

const failures = [];
let passed = 0;
const name = ({ kind, alg, enc, form, jwk }) => [kind, alg, enc, jwk.crv, form].filter(Boolean).join(' ');
function note(outcome, testCase, direction) {
  if (outcome === true) passed += 1;
  else failures.push(`${direction} ${name(testCase)}: ${outcome}`);
}

const all = call('write');
const cases = all.filter(({ alg }) => !unknown.has(alg));
for (const testCase of cases) {
  const outcome = await read(testCase).then(
    (payload) => jose.base64url.encode(payload) === testCase.payload || 'the payload differs',
    (error) => error.message,
  );
  note(outcome, testCase, 'reading ours');
}


const theirs = [];
for (const testCase of cases) {
  try {
    theirs.push({ ...testCase, token: await write(testCase) });
  } catch (error) {
    note(error.message, testCase, 'writing theirs');
  }
}
call('read', JSON.stringify(theirs)).forEach((outcome, index) => note(outcome, theirs[index], 'reading theirs'));

for (const failure of failures) console.log(failure);
console.log(`npm jose: ${all.length - cases.length} cases of algorithms it does not know are left to others`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
