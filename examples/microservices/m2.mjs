// M2 answers other microservices and nobody else: a token must verify, and say that it belongs to a microservice.

import { createServer } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const core = process.env.CORE ?? 'http://127.0.0.1:3567';
const port = Number(process.env.PORT ?? 4002);

// An unknown `kid` has the set fetched again, at most every 30 seconds.
const keys = createRemoteJWKSet(new URL(`${core}/.well-known/jwks.json`));

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The claims of the microservice that calls. */
async function caller(authorization) {
  const [, token] = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) throw new Refused(401, 'a bearer token is needed');
  const claims = await verified(token);
  if (claims.aud !== undefined && ![claims.aud].flat().includes('m2')) throw new Refused(401, 'the token is not for M2');
  // End users may hold tokens of the same keys; only this claim tells them apart.
  if (claims.source !== 'microservice') throw new Refused(403, 'only microservices may call');
  return claims;
}

async function verified(token) {
  const rules = { algorithms: ['RS256'], typ: 'JWT', issuer: core, clockTolerance: 60, requiredClaims: ['exp'] };
  try {
    return (await jwtVerify(token, keys, rules)).payload;
  } catch (error) {
    // The core being away is not the caller's fault.
    const isTokens = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
    throw isTokens ? new Refused(401, 'the token does not hold') : new Refused(503, 'no keys to verify with');
  }
}

function answer(response, status, body) {
  const headers = { 'content-type': 'application/json' };
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`);
}

createServer(async (request, response) => {
  request.resume();
  try {
    const { sub } = await caller(request.headers.authorization);
    answer(response, 200, { hello: sub });
  } catch (error) {
    answer(response, error.status ?? 500, { error: error.status ? error.message : 'internal error' });
  }
}).listen(port, '127.0.0.1', function listening() {
  console.log(`M2 on http://127.0.0.1:${this.address().port}`);
});
