// Verifiers off the shelf, each as its manual says, with nothing but the address of the key set.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import express from 'express';
import { expressjwt } from 'express-jwt';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Core, order } from './lib/core.mjs';
import { assert, close, test } from '../suite.mjs';

const load = createRequire(import.meta.url);
const jsonwebtoken = load('jsonwebtoken');
const jwksRsa = load('jwks-rsa');
const python = process.env.PYTHON ?? 'python3';

const core = await Core.start();
const address = `${core.url}/.well-known/jwks.json`;
const create = async (useStaticSigningKey) =>
  JSON.parse((await core.create(order({ payload: { sub: 'u1' }, useStaticSigningKey }))).body).jwt;
const tokens = { static: await create(true), dynamic: await create(false) };

/** The same token with other claims under the old signature. */
function changed(token) {
  const [header, claims, signature] = token.split('.');
  const other = { ...JSON.parse(Buffer.from(claims, 'base64url')), sub: 'u2' };
  return [header, Buffer.from(JSON.stringify(other)).toString('base64url'), signature].join('.');
}

const jose = async (token) => (await jwtVerify(token, createRemoteJWKSet(new URL(address)), { algorithms: ['RS256'] })).payload;

async function withJsonwebtoken(token) {
  const client = jwksRsa({ jwksUri: address });
  const key = (header, done) =>
    client.getSigningKey(header.kid).then((found) => done(null, found.getPublicKey()), (error) => done(error));
  return promisify(jsonwebtoken.verify)(token, key, { algorithms: ['RS256'] });
}

async function withExpress(token) {
  const app = express();
  const secret = jwksRsa.expressJwtSecret({ jwksUri: address, cache: true, rateLimit: true });
  app.get('/', expressjwt({ secret, algorithms: ['RS256'] }), (request, response) => response.json(request.auth));
  app.use((error, _request, response, _next) => response.status(error.status).end());
  const server = await new Promise((resolve) => {
    const made = createServer(app).listen(0, '127.0.0.1', () => resolve(made));
  });
  try {
    const url = `http://127.0.0.1:${server.address().port}/`;
    const reply = await fetch(url, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });
    if (reply.status !== 200) throw new Error(`${reply.status}`);
    return await reply.json();
  } finally {
    server.close();
  }
}

async function withPyJwt(token) {
  const { stdout } = await promisify(execFile)(python, ['verify.py', address, token]);
  return JSON.parse(stdout);
}

const verifiers = { jose, 'jsonwebtoken with jwks-rsa': withJsonwebtoken, 'express-jwt with jwks-rsa': withExpress, PyJWT: withPyJwt };

// ST-30: jose, jsonwebtoken with jwks-rsa, and others, take static and dynamic tokens and refuse a changed payload.
for (const [name, verify] of Object.entries(verifiers)) {
  for (const [kind, token] of Object.entries(tokens)) {
    await test(`${name}, ${kind} key`, async () => {
      assert.equal((await verify(token)).sub, 'u1');
      await assert.rejects(async () => verify(changed(token)));
    });
  }
}

await core.stop();
close();
