// The example microservices: M1 with the real SDK calls M2, which answers microservices alone (section 6).

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { generateKeyPair, SignJWT } from 'jose';
import { API_KEY, Core, order } from './lib/core.mjs';
import { assert, close, test } from '../suite.mjs';

const folder = fileURLToPath(new URL('../../examples/microservices/', import.meta.url));
const core = await Core.start();
const environment = { PATH: process.env.PATH, CORE: core.url, API_KEY };

/** Starts a program of the example; gives it and the line that matches. */
function start(file, settings, line) {
  const child = spawn('node', [file], { cwd: folder, env: { ...environment, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] });
  const told = [];
  const found = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      told.push(text);
      const match = line.exec(text);
      if (match) resolve(match);
    });
    child.once('exit', () => reject(new Error(`${file} ended: ${told.join('\n')}`)));
  });
  return { child, found };
}

const m2 = start('m2.mjs', { PORT: '0' }, /^M2 on (\S+)$/);
const [, url] = await m2.found;

async function ask(authorization) {
  const reply = await fetch(url, { method: 'POST', headers: authorization === undefined ? {} : { authorization } });
  return [reply.status, reply.headers.get('www-authenticate')];
}

const mint = async (payload, members) =>
  JSON.parse((await core.create(order({ payload, jwksDomain: core.url, ...members }))).body).jwt;

// ST-74: M2 takes only what says `microservice`; another source or none is 403, no token or a bad one 401.
await test('M1 calls M2', async () => {
  const m1 = start('m1.mjs', { M2: url }, /^M2 answered M1: (.*)$/);
  assert.equal((await m1.found)[1], '200 {"hello":"m1"}');
});

await test('tokens that M2 takes', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const payload of [{}, { aud: 'm2' }, { aud: ['m2', 'm3'] }, { exp: now - 30 }, { nbf: now + 30 }]) {
    const token = await mint({ ...payload, source: 'microservice' });
    assert.deepEqual(await ask(`bEaReR ${token}`), [200, null], JSON.stringify(payload));
  }
});

await test('tokens of others', async () => {
  for (const source of [undefined, null, '', 'Microservice', 'user', ['microservice'], { microservice: true }, true]) {
    assert.deepEqual(await ask(`Bearer ${await mint({ sub: 'u1', source })}`), [403, null], JSON.stringify(source));
  }
});

await test('no token, or a bad one', async () => {
  const now = Math.floor(Date.now() / 1000);
  const source = 'microservice';
  const good = await mint({ source });
  const [header, claims, signature] = good.split('.');
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { privateKey } = await generateKeyPair('RS256');
  const foreign = () => new SignJWT({ source, iss: core.url, exp: now + 60 });
  const bad = [
    undefined, '', 'Bearer', `Basic ${good}`, good, 'Bearer x', 'Bearer a.b.c', `Bearer ${good} x`,
    `Bearer ${header}.${encode({ source, iss: core.url, exp: now + 60 })}.${signature}`,
    `Bearer ${header}.${claims}.`,
    `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${claims}.`,
    `Bearer ${await foreign().setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 's-unknown' }).sign(privateKey)}`,
    `Bearer ${await foreign().setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(API_KEY.repeat(2)))}`,
    `Bearer ${await mint({ source, exp: now - 120 })}`,
    `Bearer ${await mint({ source, nbf: now + 120 })}`,
    `Bearer ${await mint({ source, aud: 'm3' })}`,
    `Bearer ${await mint({ source, iss: 'https://other.example' })}`,
    `Bearer ${await mint({ source, exp: null })}`,
  ];
  for (const authorization of bad) assert.deepEqual(await ask(authorization), [401, 'Bearer'], authorization);
});

m2.child.kill();
await core.stop();
close();
