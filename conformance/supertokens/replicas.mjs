// Two servers on one database behind one connectionURI (docs/contracts/supertokens.md section 5).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { API_KEY, Core } from './lib/core.mjs';
import { Postgres } from './lib/postgres.mjs';
import { Sdk } from './lib/sdk.mjs';
import { assert, close, test } from '../suite.mjs';

const database = await Postgres.start();
const folder = mkdtempSync(join(tmpdir(), 'chancery-master-'));
const settings = [
  `core.api_keys = ['billing:${API_KEY}']`,
  `store.url = '${database.url}'`,
  `store.master_key = 'file:${join(folder, 'master.key')}'`,
].join('\n');
const one = await Core.start({ settings });
const other = await Core.start({ settings });
const cores = [one, other];
const kids = async (core) => JSON.parse((await core.get('/.well-known/jwks.json')).body).keys.map((key) => key.kid);
const sdk = await Sdk.start('st24', { connectionURI: cores.map((core) => core.url).join(';'), apiKey: API_KEY });

async function token(...args) {
  const { status, jwt } = await sdk.createJWT(...args);
  assert.equal(status, 'OK');
  return jwt;
}

async function verify(jwt, core) {
  const keys = createRemoteJWKSet(new URL(`${core.url}/.well-known/jwks.json`));
  return (await jwtVerify(jwt, keys, { algorithms: ['RS256'] })).payload;
}

// ST-13: two URIs of two replicas: calls succeed, both give one static kid and publish the same kids.
await test('two addresses are one core', async () => {
  const tokens = [];
  for (let at = 0; at < 6; at += 1) tokens.push(await token({ at }));
  assert.equal(new Set(tokens.map((jwt) => decodeProtectedHeader(jwt).kid)).size, 1);
  for (const core of cores) {
    assert.ok(core.requests().includes('POST /recipe/jwt'), 'the SDK asked both');
    for (const [at, jwt] of tokens.entries()) assert.equal((await verify(jwt, core)).at, at);
  }
  assert.deepEqual(await kids(one), await kids(other));
});

// ST-67: database stopped: both key kinds sign (dynamic within the horizon), the key set is served.
await test('without the database', async () => {
  // Each of the two has heard how long dynamic keys are kept.
  for (let at = 0; at < 4; at += 1) await token({}, 3 * 3600, false);
  const before = await kids(one);
  await database.stop();
  for (const args of [[{}], [{}, 60, false], [{}, 3 * 3600, false]]) {
    for (const core of cores) await verify(await token(...args), core);
  }
  for (const core of cores) assert.deepEqual(await kids(core), before);
});

sdk.stop();
for (const core of cores) await core.stop();
rmSync(folder, { recursive: true, force: true });
close();
