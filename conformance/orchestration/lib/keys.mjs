// Keys for every algorithm of the node, fresh in each run, with their material as its fields take it.

import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';

const CONTENT_OCTETS = {
  A128GCM: 16,
  A192GCM: 24,
  A256GCM: 32,
  'A128CBC-HS256': 32,
  'A192CBC-HS384': 48,
  'A256CBC-HS512': 64,
};

/** The six content encryptions. */
export const CONTENTS = Object.keys(CONTENT_OCTETS);
/** The octets that a secret has for each algorithm; `dir` goes by its content encryption. */
const SECRET_OCTETS = { HS256: 32, HS384: 48, HS512: 64, A128KW: 16, A192KW: 24, A256KW: 32 };

/** A shared secret of the length that the algorithm needs, as a JWK and as a Password: printable, so that it is UTF-8. */
export function secretFor(algorithm, content) {
  const octets = algorithm === 'dir' ? CONTENT_OCTETS[content] : SECRET_OCTETS[algorithm.replace('GCMKW', 'KW')];
  const password = Array.from(randomBytes(octets), (octet) => String.fromCharCode(0x61 + (octet % 26))).join('');
  return { password, jwk: { kty: 'oct', k: Buffer.from(password).toString('base64url') } };
}

/** An RSA key of this many bits. */
export const rsa = (modulusLength) => pair(generateKeyPairSync('rsa', { modulusLength }), 'pkcs1');

/** A key of this curve. */
export const ec = (namedCurve) => pair(generateKeyPairSync('ec', { namedCurve }), 'sec1');

/** The key in every form in which the node takes a private or a public one. */
function pair({ privateKey }, ownForm) {
  const publicKey = createPublicKey(privateKey);
  const pem = (key, type) => key.export({ format: 'pem', type });
  return {
    jwk: privateKey.export({ format: 'jwk' }),
    publicJwk: publicKey.export({ format: 'jwk' }),
    spki: pem(publicKey, 'spki'),
    privateForms: [pem(privateKey, 'pkcs8'), pem(privateKey, ownForm), JSON.stringify(privateKey.export({ format: 'jwk' }))],
  };
}
