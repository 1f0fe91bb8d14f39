// The work of api.yaml as a service of Express and npm `jose`: claims of the request, some of its own, a signature.

import { randomUUID } from 'node:crypto';
import express from 'express';
import { SignJWT, importJWK } from 'jose';

const [alg, jwk, port] = process.argv.slice(2);
const parsed = JSON.parse(jwk);
const key = await importJWK(parsed, alg);
const header = { kid: parsed.kid, alg };

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/bench/token', async (request, response) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    jti: randomUUID(),
    iss: 'https://issuer.example/bench',
    sub: request.get('x-ibm-client-id') ?? 'demo-client',
    aud: 'orders',
    exp: now + 600,
    iat: now,
    scope: 'orders:read',
  };
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(key);
  response.type('text/plain').send(`Bearer ${token}`);
});
app.listen(Number(port), '127.0.0.1');
